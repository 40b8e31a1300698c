"""PyTorch, eager and compiled: planning and training."""

from __future__ import annotations

from typing import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor

from common import Planning, PlanningData, Runnable, Training, TrainingData, planning_data, training_data

Loss = Callable[..., Tensor]
Wrap = Callable[[Callable], Callable]


def eager(case: str, starts: int, _thorough: bool) -> dict[str, Callable[[], Runnable]]:
    return {"eager": lambda: build(case, starts, lambda function: function)}


def compiled(case: str, starts: int, thorough: bool) -> dict[str, Callable[[], Runnable]]:
    """The ways to compile a case; the worker keeps the fastest."""
    options: dict[str, dict[str, bool]] = {"default": {}, "C++ wrapper": {"cpp_wrapper": True}}
    if thorough:
        options["max autotune"] = {"max_autotune": True}
        options["max autotune, C++ wrapper"] = {"max_autotune": True, "cpp_wrapper": True}

    def wrap(chosen: dict[str, bool]) -> Wrap:
        return lambda function: torch.compile(function, fullgraph=True, dynamic=False, options=chosen)

    return {
        name: (lambda chosen=chosen: build(case, starts, wrap(chosen))) for name, chosen in options.items()
    }


def build(case: str, starts: int, wrap: Wrap) -> Runnable:
    return planning(starts, wrap) if case == "planning" else training(wrap)


def tensors(layers: list) -> list[tuple[Tensor, Tensor]]:
    return [(torch.tensor(weight), torch.tensor(bias)) for weight, bias in layers]


def planning_loss(data: PlanningData) -> Loss:
    (w1, b1), (w2, b2), (w3, b3) = tensors(data.layers)
    from_state, from_action = w1[: Planning.LATENT].clone(), w1[Planning.LATENT :].clone()
    start, goal = torch.tensor(data.start), torch.tensor(data.goal)

    def loss(u: Tensor) -> Tensor:
        # What the actions contribute is known for the whole horizon at once. `unbind` goes back as one stack,
        # where indexing would go back as a sum of mostly empty tensors.
        driven = (torch.tanh(u) @ from_action + b1).unbind(0)
        state, states = start, []
        for contribution in driven:
            hidden = functional.silu(torch.addmm(contribution, state, from_state))
            hidden = functional.silu(torch.addmm(b2, hidden, w2))
            state = state + torch.addmm(b3, hidden, w3)
            states.append(state)
        return (torch.stack(states) - goal).square().sum() / Planning.HORIZON

    return loss


def adam(u: Tensor, first: Tensor, second: Tensor, gradient: Tensor, correct: Tensor) -> None:
    """In place, and by hand: on one small tensor it costs less than an optimiser's bookkeeping."""
    first.lerp_(gradient, 1.0 - Planning.BETA1)
    second.mul_(Planning.BETA2).addcmul_(gradient, gradient, value=1.0 - Planning.BETA2)
    corrected = (second / correct[1]).sqrt_().add_(Planning.EPSILON)
    u.sub_(first / corrected * (Planning.LEARNING_RATE / correct[0]))


def planning(starts: int, wrap: Wrap) -> Runnable:
    data = planning_data(starts)
    loss, update = wrap(planning_loss(data)), wrap(adam)
    fresh = torch.tensor(data.u)
    u = fresh.clone().requires_grad_()
    first, second = torch.zeros_like(fresh), torch.zeros_like(fresh)
    done = range(1, Planning.ITERATIONS + 1)
    corrections = torch.tensor([[1.0 - Planning.BETA1**k, 1.0 - Planning.BETA2**k] for k in done]).unbind(0)

    def prepare() -> None:
        with torch.no_grad():
            u.copy_(fresh)
            first.zero_()
            second.zero_()

    def block() -> None:
        for correct in corrections:
            (gradient,) = torch.autograd.grad(loss(u), u)
            with torch.no_grad():
                update(u, first, second, gradient, correct)

    return Runnable(prepare, block, Planning.ITERATIONS)


def apply(layers: list[tuple[Tensor, Tensor]], inputs: Tensor) -> Tensor:
    for weight, bias in layers[:-1]:
        inputs = functional.silu(torch.addmm(bias, inputs, weight))
    weight, bias = layers[-1]
    return torch.addmm(bias, inputs, weight)


def training_parameters(data: TrainingData) -> dict[str, list[tuple[Tensor, Tensor]]]:
    networks = {
        name: tensors(layers)
        for name, layers in (
            ("encoder", data.encoder),
            ("predictor", data.predictor),
            ("inverse", data.inverse),
        )
    }
    for parameter in flat(networks):
        parameter.requires_grad_()
    return networks


def flat(networks: dict[str, list[tuple[Tensor, Tensor]]]) -> list[Tensor]:
    return [tensor for layers in networks.values() for layer in layers for tensor in layer]


def training_loss(
    networks: dict[str, list[tuple[Tensor, Tensor]]], percepts: Tensor, actions: Tensor
) -> Tensor:
    t, weights = Training, Training.WEIGHTS
    latents = apply(networks["encoder"], percepts)
    targets = latents.view(t.UNROLL + 1, t.BATCH, t.LATENT)
    (w1, b1), *rest = networks["predictor"]
    from_state, from_action = w1.split((t.LATENT, t.ACTION))
    driven = torch.addmm(b1, actions, from_action).view(t.UNROLL, t.BATCH, t.HIDDEN).unbind(0)
    state, states = targets[0], []
    for contribution in driven:
        state = state + apply(rest, functional.silu(torch.addmm(contribution, state, from_state)))
        states.append(state)
    prediction = functional.mse_loss(torch.stack(states), targets[1:])
    centred = latents - latents.mean(0)
    covariance = centred.T @ centred / (latents.shape[0] - 1)
    variances = covariance.diagonal()
    variance = functional.relu(t.GAMMA - (variances + t.VARIANCE_EPSILON).sqrt()).mean()
    off_diagonal = (covariance.square().sum() - variances.square().sum()) / t.LATENT
    before, after = latents[: -t.BATCH], latents[t.BATCH :]
    similarity = functional.mse_loss(after, before)
    inverse = functional.mse_loss(apply(networks["inverse"], torch.cat((before, after), 1)), actions)
    return (
        weights["prediction"] * prediction
        + weights["variance"] * variance
        + weights["covariance"] * off_diagonal
        + weights["similarity"] * similarity
        + weights["inverse"] * inverse
    )


def training(wrap: Wrap) -> Runnable:
    data, t = training_data(), Training
    networks = training_parameters(data)
    parameters = flat(networks)
    percepts, actions = torch.tensor(data.percepts), torch.tensor(data.actions)
    loss = wrap(training_loss)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": t.WEIGHT_DECAY},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(
        groups, lr=t.LEARNING_RATE, betas=(t.BETA1, t.BETA2), eps=t.EPSILON, fused=True
    )

    def block() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss(networks, percepts, actions).backward()
        torch.nn.utils.clip_grad_norm_(parameters, t.CLIP_NORM)
        optimiser.step()

    return Runnable(lambda: None, block, 1)
