"""The mind on NumPy arrays. Read first: `Mind`."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forethought import _native

Floats = NDArray[np.float32]


class Mind:
    """What an agent thinks with: a perception, a world model, a cost and a planner.

    Load it with `Mind.load`. Arrays that are float32 and C-contiguous are read where they are; others are converted first. All work is
    done without Python's lock. An observation is a row of an environment with flat observations; the goal's place at its end, where
    the environment tells it, is left aside. What cannot be done raises a `ValueError` that says why.
    """

    def __init__(self, native: _native.Mind) -> None:
        self._native = native

    @classmethod
    def load(
        cls, scenario_or_model: str | PathLike[str], model: str | PathLike[str] | None = None, *, agent: int = 0
    ) -> Mind:
        """The mind of an agent of a scenario (a name or a RON file), with its own model or with `model`.

        A model file alone stands for the scenario that it was trained on, which must be found by its name.
        """
        return cls(_native.Mind.load(fspath(scenario_or_model), None if model is None else fspath(model), agent))

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return self._native.scenario

    @property
    def channels(self) -> list[tuple[str, list[int]]]:
        """The channels of an observation, with their shapes."""
        return self._native.channels

    @property
    def observation_size(self) -> int:
        """Values of an observation."""
        return self._native.observation_size

    @property
    def action_size(self) -> int:
        """Values of an action."""
        return self._native.action_size

    @property
    def latent_size(self) -> int:
        """Values of a latent."""
        return self._native.latent_size

    @property
    def stride(self) -> int:
        """Control steps that one prediction spans."""
        return self._native.stride

    @property
    def horizon(self) -> int:
        """Control steps of a plan."""
        return self._native.horizon

    @property
    def codes(self) -> int:
        """Values of its latent variable; 1 without one."""
        return self._native.codes

    def encode(self, observations: Any) -> Floats:
        """Observations `[n, observation]` to latents `[n, latent]`, by the encoder."""
        return self._native.encode(_floats(observations))

    def predict(self, latents: Any, actions: Any, *, floor_plan: Any = None, z: int = 0) -> Floats:
        """Latents `[n, latent]` under actions `[n, horizon, action]` to what the world model foretells: `[n, horizon / stride, latent]`.

        The horizon is a multiple of `stride`. `z` is the value of the latent variable. A model that reads a floor plan needs
        `floor_plan`, which `floor_plan` takes from an observation.
        """
        return self._native.predict(_floats(latents), _floats(actions), _optional(floor_plan), z)

    def energy(self, latents: Any, actions: Any, goal: Any = None, *, floor_plan: Any = None) -> Floats:
        """The energies `[n]` of futures from latents `[n, latent]` under actions `[n, horizon, action]`: what planning minimises.

        `goal` is an observation, such as an environment's `info["goal"]`; an agent without a goal ignores it.
        """
        return self._native.energy(_floats(latents), _floats(actions), _optional(goal), _optional(floor_plan))

    def plan(self, observation: Any, goal: Any = None, *, seed: int = 0) -> tuple[Floats, Floats]:
        """Plan from an observation: candidates `[k, horizon, action]`, best first, and their energies `[k]`."""
        return self._native.plan(_floats(observation), _optional(goal), seed)

    def begin(self, episode_seed: int) -> None:
        """Begin a life, with the randomness of an episode: its seed is an environment's `info["episode_seed"]`."""
        self._native.begin(episode_seed)

    def act(self, observation: Any, goal: Any = None) -> Floats:
        """One control step of its life: what it does, in the mode that its scenario says, going on with earlier plans.

        In an environment's episode of evaluation this comes to the very trajectory that `forethought batch` runs.
        """
        return self._native.act(_floats(observation), _optional(goal))

    def floor_plan(self, observation: Any) -> Floats:
        """The floor plan in an observation; a `ValueError` where there is none."""
        start = 0
        for name, shape in self.channels:
            size = int(np.prod(shape))
            if name == "map.occupancy":
                return _floats(observation)[start : start + size]
            start += size
        raise ValueError(f"the agent of {self.scenario} senses no floor plan")

    def __repr__(self) -> str:
        return f"Mind({self.scenario!r}, observation_size={self.observation_size}, action_size={self.action_size})"


def _floats(values: Any) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)


def _optional(values: Any) -> Floats | None:
    return None if values is None else _floats(values)
