"""JAX, jitted whole: planning and training."""

from __future__ import annotations

from typing import Any, Callable

import jax
import jax.numpy as jnp

from common import Planning, PlanningData, Runnable, Training, TrainingData, planning_data, training_data

Tree = Any


def variants(case: str, starts: int, _thorough: bool) -> dict[str, Callable[[], Runnable]]:
    """The ways to write a case; the worker keeps the fastest."""
    make = {"planning": lambda scan: planning(starts, scan), "training": training}[case]
    return {"scan": lambda: make(True), "unrolled": lambda: make(False)}


def chain(step: Callable, state: Tree, inputs: tuple, scan: bool) -> tuple[Tree, Tree]:
    """`lax.scan`, or the same as a Python loop that the jit unrolls."""
    if scan:
        return jax.lax.scan(step, state, inputs)
    outputs = []
    for index in range(inputs[0].shape[0]):
        state, output = step(state, tuple(values[index] for values in inputs))
        outputs.append(output)
    return state, jnp.stack(outputs)


def planning_loss(data: PlanningData, scan: bool) -> Callable:
    # Closed over rather than passed: the weights stay as they are while an agent plans.
    (w1, b1), (w2, b2), (w3, b3) = jax.tree.map(jnp.asarray, data.layers)
    from_state, from_action = w1[: Planning.LATENT], w1[Planning.LATENT :]
    start, goal = jnp.asarray(data.start), jnp.asarray(data.goal)

    def step(state: jax.Array, inputs: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
        hidden = jax.nn.silu(state @ from_state + inputs[0])
        hidden = jax.nn.silu(hidden @ w2 + b2)
        state = state + hidden @ w3 + b3
        return state, jnp.sum((state - goal) ** 2)

    def loss(u: jax.Array) -> jax.Array:
        # What the actions contribute is known for the whole horizon at once.
        driven = jnp.tanh(u) @ from_action + b1
        return jnp.sum(chain(step, start, (driven,), scan)[1]) / Planning.HORIZON

    return loss


def adam_moments(first: Tree, second: Tree, gradient: Tree, spec: Any) -> tuple[Tree, Tree]:
    first = jax.tree.map(lambda m, g: m + (1.0 - spec.BETA1) * (g - m), first, gradient)
    second = jax.tree.map(lambda v, g: v + (1.0 - spec.BETA2) * (g * g - v), second, gradient)
    return first, second


def adam_step(first: jax.Array, second: jax.Array, done: jax.Array, spec: Any) -> jax.Array:
    corrected = jnp.sqrt(second / (1.0 - spec.BETA2**done)) + spec.EPSILON
    return spec.LEARNING_RATE * (first / (1.0 - spec.BETA1**done)) / corrected


def planning(starts: int, scan: bool) -> Runnable:
    data = planning_data(starts)
    gradient = jax.grad(planning_loss(data, scan))

    def iterate(u: jax.Array, first: jax.Array, second: jax.Array, done: jax.Array) -> tuple:
        done = done + 1.0
        first, second = adam_moments(first, second, gradient(u), Planning)
        return u - adam_step(first, second, done, Planning), first, second, done

    iterate = jax.jit(iterate, donate_argnums=(0, 1, 2, 3))
    state: list[tuple] = [()]

    def prepare() -> None:
        fresh = jnp.array(data.u), jnp.zeros_like(data.u), jnp.zeros_like(data.u), jnp.zeros(())
        state[0] = jax.block_until_ready(fresh)

    def block() -> None:
        current = state[0]
        # One wait at the end: JAX may hand over an iteration while the one before still runs.
        for _ in range(Planning.ITERATIONS):
            current = iterate(*current)
        state[0] = jax.block_until_ready(current)

    return Runnable(prepare, block, Planning.ITERATIONS)


def apply(layers: list, inputs: jax.Array) -> jax.Array:
    for weight, bias in layers[:-1]:
        inputs = jax.nn.silu(inputs @ weight + bias)
    weight, bias = layers[-1]
    return inputs @ weight + bias


def training_parameters(data: TrainingData) -> dict[str, list]:
    networks = {"encoder": data.encoder, "predictor": data.predictor, "inverse": data.inverse}
    return jax.tree.map(jnp.array, networks)


def training_loss(data: TrainingData, scan: bool) -> Callable:
    t = Training
    weights = t.WEIGHTS

    def loss(networks: dict[str, list], percepts: jax.Array, actions: jax.Array) -> jax.Array:
        latents = apply(networks["encoder"], percepts)
        targets = latents.reshape(t.UNROLL + 1, t.BATCH, t.LATENT)
        (w1, b1), *rest = networks["predictor"]
        driven = (actions @ w1[t.LATENT :] + b1).reshape(t.UNROLL, t.BATCH, t.HIDDEN)

        def step(state: jax.Array, inputs: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            state = state + apply(rest, jax.nn.silu(state @ w1[: t.LATENT] + inputs[0]))
            return state, jnp.mean((state - inputs[1]) ** 2)

        prediction = jnp.mean(chain(step, targets[0], (driven, targets[1:]), scan)[1])
        centred = latents - jnp.mean(latents, axis=0)
        covariance = centred.T @ centred / (latents.shape[0] - 1)
        variances = jnp.diagonal(covariance)
        variance = jnp.mean(jax.nn.relu(t.GAMMA - jnp.sqrt(variances + t.VARIANCE_EPSILON)))
        off_diagonal = (jnp.sum(covariance**2) - jnp.sum(variances**2)) / t.LATENT
        before, after = latents[: -t.BATCH], latents[t.BATCH :]
        similarity = jnp.mean((after - before) ** 2)
        recovered = apply(networks["inverse"], jnp.concatenate([before, after], axis=1))
        inverse = jnp.mean((recovered - actions) ** 2)
        return (
            weights["prediction"] * prediction
            + weights["variance"] * variance
            + weights["covariance"] * off_diagonal
            + weights["similarity"] * similarity
            + weights["inverse"] * inverse
        )

    return loss


def training(scan: bool) -> Runnable:
    data, t = training_data(), Training
    percepts, actions = jnp.asarray(data.percepts), jnp.asarray(data.actions)
    gradient_of = jax.grad(training_loss(data, scan))

    def update(
        networks: Tree, first: Tree, second: Tree, done: jax.Array, percepts: Any, actions: Any
    ) -> tuple:
        gradient = gradient_of(networks, percepts, actions)
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
        scale = jnp.minimum(1.0, t.CLIP_NORM / norm)
        done = done + 1.0
        first, second = adam_moments(first, second, jax.tree.map(lambda g: g * scale, gradient), t)

        def move(p: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            decay = t.LEARNING_RATE * t.WEIGHT_DECAY if p.ndim > 1 else 0.0
            return p - adam_step(m, v, done, t) - decay * p

        return jax.tree.map(move, networks, first, second), first, second, done

    update = jax.jit(update, donate_argnums=(0, 1, 2, 3))
    networks = training_parameters(data)
    zeros = [jax.tree.map(jnp.zeros_like, networks) for _ in range(2)]
    state = [(networks, *zeros, jnp.zeros(()))]

    def block() -> None:
        state[0] = jax.block_until_ready(update(*state[0], percepts, actions))

    return Runnable(lambda: None, block, 1)
