"""A scenario with several agents as a PettingZoo environment. Read first: `parallel_env`."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo.utils.env import ParallelEnv as PettingZooParallelEnv  # type: ignore[import-untyped]

from forethought._native import Environments
from forethought.environment import RENDER_WIDTH_PX
from forethought.layout import (
    Agent,
    Channel,
    Layout,
    Observations,
    Plan,
    Split,
    action_space,
    check_render_mode,
    dict_space,
    flat_space,
    frames_per_s,
)


def parallel_env(scenario: str | PathLike[str], **options: Any) -> ParallelEnv:
    """The agents of a scenario, such as "crowd", each with observations, actions and a reward of its own.

    Options are those of `ParallelEnv`.
    """
    return ParallelEnv(scenario, **options)


class ParallelEnv(PettingZooParallelEnv[str, Any, NDArray[np.float32]]):  # type: ignore[misc]
    """Agents that act at once, under the names that the scenario gives them.

    Observations, actions, rewards, worlds and `options` are those of `forethought.ForethoughtEnv`, for each agent by itself;
    observations are `"flat"` or `"dict"`. An episode ends for all agents at once.
    """

    metadata = {"name": "forethought", "render_modes": ["rgb_array"], "render_fps": 10, "is_parallelizable": True}

    def __init__(
        self,
        scenario: str | PathLike[str],
        *,
        observations: Observations = "flat",
        goal_in_observation: bool = True,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        if observations == "pixels":
            raise ValueError('agents cannot tell themselves apart in pixels: give observations="flat" or "dict"')
        check_render_mode(render_mode)
        self._environments = Environments(fspath(scenario), 1, 1, goal_in_observation)
        self._layout = Layout.of(self._environments, observations, RENDER_WIDTH_PX)
        self._plan = Plan.before(split)
        self._random = np.random.default_rng()
        self.render_mode = render_mode
        rate = frames_per_s(self._environments)
        self.metadata = {**self.metadata, "name": self._environments.name, "render_fps": rate}
        self._seats = {agent.name: agent for agent in self._layout.agents}
        self.possible_agents = list(self._seats)
        self.agents: list[str] = []
        space = dict_space if observations == "dict" else flat_space
        self.observation_spaces = {agent.name: space(_own(agent)) for agent in self._layout.agents}
        self.action_spaces = {agent.name: action_space(agent.acts.stop - agent.acts.start) for agent in self._layout.agents}
        self._observation = np.zeros((1, self._environments.observation_size), np.float32)
        self._goal = np.zeros_like(self._observation)
        self._actions = np.zeros((1, self._environments.action_size), np.float32)
        self._rewards = np.zeros((1, len(self._seats)))
        self._terminated, self._truncated, self._begun = (np.zeros(1, bool) for _ in range(3))

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What this agent senses."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[NDArray[np.float32]]:
        """What this agent does."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begin an episode: of this seed, or the next one. Other options than "split" and "episode" are for others, and ignored."""
        own = {name: value for name, value in (options or {}).items() if name in ("split", "episode")}
        plan = self._plan.following(seed, own, int(self._random.integers(2**63)))
        self._environments.begin(0, plan.seed, plan.split, plan.episode, self._observation)
        self._plan = plan
        self.agents = list(self.possible_agents)
        facts = self._environments.facts(0)
        return self._observed(), {name: {**facts, **info} for name, info in self._infos().items()}

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """One control step; an agent that is not among `actions` wants to stand still."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        unknown = sorted(set(actions) - set(self._seats))
        if unknown:
            raise ValueError(f"there are no agents {unknown}: they are {self.possible_agents}")
        self._actions[:] = 0.0
        for name, action in actions.items():
            self._actions[0, self._seats[name].acts] = action
        self._environments.step(
            self._actions, self._observation, self._rewards, self._terminated, self._truncated, self._begun, False
        )
        names = self.agents
        rewards = dict(zip(names, self._rewards[0].tolist()))
        terminated, truncated = bool(self._terminated[0]), bool(self._truncated[0])
        infos = self._infos()
        if terminated or truncated:
            outcome = self._environments.outcome(0)
            for info in infos.values():
                info.update(outcome=outcome, is_success=outcome == "success", digest=self.digest)
            self.agents = []
        observed = self._observed()
        return observed, rewards, dict.fromkeys(names, terminated), dict.fromkeys(names, truncated), infos

    def render(self) -> NDArray[np.uint8] | None:
        """The world from above, `[height, width, 3]`; None without a render mode."""
        if self.render_mode is None:
            return None
        height, width = self._environments.picture_size(RENDER_WIDTH_PX)
        pixels = np.empty(height * width * 3, np.uint8)
        self._environments.draw(0, RENDER_WIDTH_PX, pixels, 1)
        return pixels.reshape(height, width, 3)

    def state(self) -> NDArray[np.float32]:
        """What all agents sense, one after another."""
        state: NDArray[np.float32] = self._observation[0].copy()
        return state

    def close(self) -> None:
        """There is nothing to close."""

    @property
    def digest(self) -> str:
        """A hash over the trajectory so far, as `forethought batch` has it."""
        return self._environments.digest(0)

    def _observed(self) -> dict[str, Any]:
        flat = self._observation[0]
        return {agent.name: self._layout.split(flat[agent.observed], _own(agent)) for agent in self._layout.agents}

    def _infos(self) -> dict[str, dict[str, Any]]:
        self._environments.goals(self._goal)
        places = self._environments.goal_positions(0)
        infos: dict[str, dict[str, Any]] = {}
        for agent, place in zip(self._layout.agents, places):
            goal = self._layout.split(self._goal[0, agent.observed], _own(agent))
            told = {"goal": goal, "goal_position_m": np.array(place, np.float32)}
            infos[agent.name] = told if place is not None else {}
        return infos


def _own(agent: Agent) -> tuple[Channel, ...]:
    """An agent's channels as it has them alone: without its name, counted from its own first value."""
    start, prefix = agent.observed.start, f"{agent.name}/"
    return tuple(
        Channel(c.name.removeprefix(prefix), c.shape, slice(c.at.start - start, c.at.stop - start)) for c in agent.channels
    )
