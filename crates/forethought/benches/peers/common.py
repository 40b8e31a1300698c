"""What every peer shares: the cases' sizes, their random weights and data, and how a time is taken."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from typing import Callable

import numpy as np

Array = np.ndarray
Layers = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Runnable:
    """Something to time: `prepare` is not timed, `block` is, and does `units` units of work."""

    prepare: Callable[[], None]
    block: Callable[[], None]
    units: int


class Planning:
    """One iteration of planning by gradient."""

    LATENT = 64
    ACTION = 2
    HIDDEN = 128
    HORIZON = 16
    LEARNING_RATE = 0.08
    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
    # A plan is a few iterations from fresh starts. Going on for ever would saturate tanh, and the vanishing
    # gradients' denormal numbers would be timed.
    ITERATIONS = 16


class Training:
    """One update of the structured-sense model."""

    BATCH = 256
    UNROLL = 8
    PERCEPT = 36
    ACTION = 2
    LATENT = 32
    HIDDEN = 256
    WEIGHTS = {"prediction": 1.0, "variance": 1.0, "covariance": 0.1, "similarity": 1.0, "inverse": 1.0}
    GAMMA = 1.0
    VARIANCE_EPSILON = 1e-4
    CLIP_NORM = 1.0
    LEARNING_RATE = 1e-3
    WEIGHT_DECAY = 1e-5
    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def mlp(rng: np.random.Generator, sizes: list[int], last_scale: float = 1.0, bias: float = 0.0) -> Layers:
    """Uniform weights `[inputs, outputs]` of variance 1 / inputs; biases are 0 but in checks."""
    layers = []
    for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        bound = math.sqrt(3.0 / inputs) * (last_scale if index + 2 == len(sizes) else 1.0)
        weight = rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
        layers.append((weight, rng.uniform(-bias, bias, outputs).astype(np.float32)))
    return layers


def normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.standard_normal(shape).astype(np.float32)


@dataclass(frozen=True)
class PlanningData:
    layers: Layers
    start: Array  # [starts, latent]
    goal: Array  # [latent]
    u: Array  # [horizon, starts, action]


def planning_data(starts: int, bias: float = 0.0) -> PlanningData:
    rng = np.random.default_rng(7)
    p = Planning
    sizes = [p.LATENT + p.ACTION, p.HIDDEN, p.HIDDEN, p.LATENT]
    layers = mlp(rng, sizes, last_scale=0.1, bias=bias)
    start, goal = normal(rng, starts, p.LATENT), normal(rng, p.LATENT)
    return PlanningData(layers, start, goal, 0.5 * normal(rng, p.HORIZON, starts, p.ACTION))


@dataclass(frozen=True)
class TrainingData:
    encoder: Layers
    predictor: Layers
    inverse: Layers
    percepts: Array  # [(unroll + 1) * batch, percept]
    actions: Array  # [unroll * batch, action]


def training_data(bias: float = 0.0) -> TrainingData:
    rng = np.random.default_rng(7)
    t = Training
    return TrainingData(
        encoder=mlp(rng, [t.PERCEPT, t.HIDDEN, t.HIDDEN, t.LATENT], bias=bias),
        predictor=mlp(rng, [t.LATENT + t.ACTION, t.HIDDEN, t.HIDDEN, t.LATENT], last_scale=0.1, bias=bias),
        inverse=mlp(rng, [2 * t.LATENT, t.HIDDEN, t.ACTION], bias=bias),
        percepts=normal(rng, (t.UNROLL + 1) * t.BATCH, t.PERCEPT),
        actions=rng.uniform(-1.0, 1.0, (t.UNROLL * t.BATCH, t.ACTION)).astype(np.float32),
    )


def measure(runnable: Runnable, seconds: float) -> tuple[float, int]:
    """The median time of a unit over the blocks that fit into `seconds`, at least three, and the units done."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        runnable.prepare()
        begin = time.perf_counter()
        runnable.block()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) / runnable.units, len(times) * runnable.units
