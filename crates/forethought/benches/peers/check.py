"""Whether the peers compute the same: JAX beside PyTorch on shared weights, and Box2D beside pymunk.

Run by `compare.py --check`.
"""

from __future__ import annotations

import sys
from typing import Iterable

import numpy as np

import peer_jax
import peer_torch
import peer_world
from common import planning_data, training_data

TOLERANCE = 1e-4


def relative(left: np.ndarray, right: np.ndarray) -> float:
    """The largest difference over the largest value."""
    return float(np.abs(left - right).max() / np.abs(right).max())


def planning(starts: int) -> Iterable[tuple[str, float]]:
    import jax
    import torch

    data = planning_data(starts, bias=0.1)
    u = torch.tensor(data.u, requires_grad=True)
    value = peer_torch.planning_loss(data)(u)
    (gradient,) = torch.autograd.grad(value, u)
    for scan in (True, False):
        jax_value, jax_gradient = jax.jit(jax.value_and_grad(peer_jax.planning_loss(data, scan)))(data.u)
        name = f"planning, {starts} starts, {'scan' if scan else 'unrolled'}"
        yield f"{name}: loss", relative(np.asarray(jax_value), value.detach().numpy())
        yield f"{name}: gradient", relative(np.asarray(jax_gradient), gradient.numpy())


def training() -> Iterable[tuple[str, float]]:
    import jax
    import torch

    data = training_data(bias=0.1)
    networks = peer_torch.training_parameters(data)
    value = peer_torch.training_loss(networks, torch.tensor(data.percepts), torch.tensor(data.actions))
    value.backward()
    flat = np.concatenate([parameter.grad.numpy().ravel() for parameter in peer_torch.flat(networks)])
    for scan in (True, False):
        loss = peer_jax.training_loss(data, scan)
        parameters = peer_jax.training_parameters(data)
        jax_value, gradient = jax.jit(jax.value_and_grad(loss))(parameters, data.percepts, data.actions)
        layers = (layer for name in networks for pair in gradient[name] for layer in pair)
        jax_flat = np.concatenate([np.asarray(layer).ravel() for layer in layers])
        name = f"training, {'scan' if scan else 'unrolled'}"
        yield f"{name}: loss", relative(np.asarray(jax_value), value.detach().numpy())
        yield f"{name}: gradient", relative(jax_flat, flat)


def world() -> Iterable[tuple[str, float]]:
    worlds = [peer_world.pymunk_world(), peer_world.box2d_world()]
    for scene in worlds:
        scene.step()
        scene.cast()
    yield "world: ranges after one step", relative(*(np.asarray(scene.ranges) for scene in worlds))
    for name, scene in zip(("pymunk", "Box2D"), worlds):
        for _ in range(peer_world.EPISODE - 1):
            scene.step()
        places = np.asarray(scene.positions())
        escaped = np.maximum(-places, places - peer_world.ARENA).max()
        yield f"world: {name}, metres outside the arena at the end", max(0.0, float(escaped))


def main() -> None:
    worst = 0.0
    for part in (planning(1), planning(16), training(), world()):
        for name, difference in part:
            print(f"{difference:9.2e}  {name}")
            worst = max(worst, difference)
    print(f"{worst:9.2e}  largest relative difference; up to {TOLERANCE:.0e} passes")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
