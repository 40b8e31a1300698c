"""What agents sense and do, as Gymnasium's spaces. Read first: `Layout`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from forethought._native import Environments

Observations = Literal["flat", "dict", "pixels"]
Split = Literal["train", "practice", "episode"]

# What an environment gives: one array, or one for each channel.
Observation = NDArray[np.float32] | NDArray[np.uint8] | dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Channel:
    """One sense: its name, its shape, and where it stands in a flat observation."""

    name: str
    shape: tuple[int, ...]
    at: slice


@dataclass(frozen=True)
class Agent:
    """One agent: its channels, and where its observation and its action stand among those of all agents."""

    name: str
    channels: tuple[Channel, ...]
    observed: slice
    acts: slice
    has_goal: bool


@dataclass(frozen=True)
class Layout:
    """The agents of a scenario, and how their observations are given."""

    agents: tuple[Agent, ...]
    observations: Observations
    picture: tuple[int, int]

    @classmethod
    def of(cls, environments: Environments, observations: Observations, width_px: int) -> Layout:
        """That of these environments."""
        if observations not in get_args(Observations):
            raise ValueError(f'there are no observations {observations!r}: give "flat", "dict" or "pixels"')
        agents, seen, done = [], 0, 0
        several = len(environments.agents) > 1
        for name, channels, action_size, has_goal in environments.agents:
            first, placed = seen, []
            for channel, shape in channels:
                size = int(np.prod(shape))
                label = f"{name}/{channel}" if several else channel
                placed.append(Channel(label, tuple(shape), slice(seen, seen + size)))
                seen += size
            agents.append(Agent(name, tuple(placed), slice(first, seen), slice(done, done + action_size), has_goal))
            done += action_size
        picture = environments.picture_size(width_px) if observations == "pixels" else (0, 0)
        return cls(tuple(agents), observations, picture)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those of all agents."""
        return tuple(channel for agent in self.agents for channel in agent.channels)

    def observation_space(self) -> spaces.Space[Any]:
        """What all agents sense together."""
        if self.observations == "pixels":
            return spaces.Box(0, 255, (*self.picture, 3), np.uint8)
        if self.observations == "dict":
            return dict_space(self.channels)
        return flat_space(self.channels)

    def action_space(self) -> spaces.Space[NDArray[np.float32]]:
        """What all agents do together."""
        return action_space(self.agents[-1].acts.stop)

    def split(self, flat: NDArray[np.float32], channels: tuple[Channel, ...] | None = None) -> Any:
        """A flat observation `[..., n]` as the space has it: a copy, so that later steps leave it as it is."""
        channels = self.channels if channels is None else channels
        if self.observations != "dict":
            return flat.copy()
        return {c.name: flat[..., c.at].reshape(*flat.shape[:-1], *c.shape).copy() for c in channels}

    @property
    def has_goal(self) -> bool:
        """Whether any agent has a goal."""
        return any(agent.has_goal for agent in self.agents)


def flat_space(channels: tuple[Channel, ...]) -> spaces.Box:
    """Channels one after another, each in its own unit."""
    size = sum(channel.at.stop - channel.at.start for channel in channels)
    return spaces.Box(-np.inf, np.inf, (size,), np.float32)


def dict_space(channels: tuple[Channel, ...]) -> spaces.Dict:
    """Channels by name."""
    return spaces.Dict({c.name: spaces.Box(-np.inf, np.inf, c.shape, np.float32) for c in channels})


def action_space(size: int) -> spaces.Space[NDArray[np.float32]]:
    """Values in [-1, 1], which actuators scale."""
    return spaces.Box(np.float32(-1.0), np.float32(1.0), (size,), np.float32)


def as_actions(actions: Any, shape: tuple[int, ...] | None) -> NDArray[np.float32]:
    """Actions as Rust takes them; the very array where it fits."""
    array = np.ascontiguousarray(actions, dtype=np.float32)
    if array.shape != shape:
        raise ValueError(f"actions of shape {array.shape}, where {shape} is expected")
    return array


@dataclass
class Plan:
    """Which episode is being played, of those of a seed."""

    seed: int
    split: Split
    episode: int
    # Whether none has been played yet.
    fresh: bool = False

    @classmethod
    def before(cls, split: Split) -> Plan:
        """Before the first."""
        return cls(0, split, 0, fresh=True)

    def following(self, seed: int | None, options: dict[str, Any] | None, fresh_seed: int) -> Plan:
        """The next one, after a `reset` with this seed and these options; `fresh_seed` is the first one's, where none is given."""
        options = dict(options or {})
        split = options.pop("split", self.split)
        chosen = options.pop("episode", None)
        if options:
            raise ValueError(f'unknown options {sorted(options)}: there are "split" and "episode"')
        begins = seed is not None or self.fresh or split != self.split
        number = 0 if begins else self.episode + 1
        if chosen is not None:
            number = int(chosen)
        if seed is None:
            seed = fresh_seed if self.fresh else self.seed
        return Plan(int(seed), split, number)


def check_render_mode(mode: str | None) -> None:
    """Raises a `ValueError` for a way of rendering that there is none of."""
    if mode not in (None, "rgb_array"):
        raise ValueError(f'there is no render mode {mode!r}: give "rgb_array"')


def frames_per_s(environments: Environments) -> int:
    """How many control steps a second has, rounded: the rate of rendered frames."""
    return max(1, round(1 / environments.control_period_s))
