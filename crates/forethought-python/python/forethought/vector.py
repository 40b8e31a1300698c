"""Many environments of one scenario, stepped in Rust without Python's lock. Read first: `VectorEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector import VectorEnv as GymnasiumVectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from forethought._native import Environments
from forethought.environment import RENDER_WIDTH_PX
from forethought.layout import Layout, Observations, Plan, Split, as_actions, check_render_mode, frames_per_s


class VectorEnv(GymnasiumVectorEnv[Any, NDArray[np.float32], NDArray[Any]]):
    """`num_envs` environments of a scenario, each as `forethought.ForethoughtEnv`, spread over `threads`.

    All are stepped in one call, which writes into arrays that are used again and again; with `copy=False` these are what `step` gives,
    to be used before the next step. An environment whose episode ended begins the next one of its seed at the next step, which then is
    worth nothing (`AutoresetMode.NEXT_STEP`). The same seeds and actions give the same bits, whatever `threads` is.

    `reset(seed=s)` gives environment `i` the seed `s + i`; a list gives each its own. Of `info`, `goal` and `goal_position_m` are there
    after `reset` and for those that have just begun, and `is_success` and `steps` for those that have just ended.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10, "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        *,
        scenario: str | PathLike[str],
        threads: int = 1,
        observations: Observations = "flat",
        goal_in_observation: bool = True,
        split: Split = "train",
        width_px: int = 64,
        render_mode: str | None = None,
        copy: bool = True,
    ) -> None:
        check_render_mode(render_mode)
        super().__init__()
        self.num_envs = num_envs
        self.render_mode = render_mode
        self._environments = Environments(fspath(scenario), num_envs, threads, goal_in_observation)
        self._layout = Layout.of(self._environments, observations, width_px)
        self._plans = [Plan.before(split) for _ in range(num_envs)]
        self._copy, self._width_px = copy, width_px
        self.metadata = {**self.metadata, "render_fps": frames_per_s(self._environments)}
        self.single_observation_space = self._layout.observation_space()
        self.single_action_space = self._layout.action_space()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._observation = np.zeros((num_envs, self._environments.observation_size), np.float32)
        self._goals = np.zeros_like(self._observation)
        self._rewards = np.zeros((num_envs, len(self._layout.agents)))
        self._terminated, self._truncated, self._begun = (np.zeros(num_envs, bool) for _ in range(3))
        self._pixels = np.zeros((num_envs, *self._layout.picture, 3), np.uint8)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in each: of these seeds, or the next ones."""
        if seed is None or isinstance(seed, Sequence):
            seeds = list(seed or [None] * self.num_envs)
        else:
            seeds = [int(seed) + index for index in range(self.num_envs)]
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
        if seeds[0] is not None:
            super().reset(seed=seeds[0])
        info: dict[str, Any] = {}
        for index, of_one in enumerate(seeds):
            # What an environment has begun by itself since counts too.
            if not self._plans[index].fresh:
                self._plans[index].episode = self._environments.facts(index)["episode"]
            plan = self._plans[index].following(of_one, options, int(self.np_random.integers(2**63)))
            self._environments.begin(index, plan.seed, plan.split, plan.episode, self._observation)
            self._plans[index] = plan
            facts = self._environments.facts(index)
            # Of 64 bits, none of which is a sign.
            facts.update((name, np.uint64(facts[name])) for name in ("seed", "episode_seed"))
            info = self._add_info(info, facts, index)
        self._tell_goals(info, np.ones(self.num_envs, bool))
        return self._observed(), info

    def step(self, actions: Any) -> tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """One control step of each; of those whose episode had ended, the beginning of their next."""
        self._environments.step(
            as_actions(actions, self.action_space.shape),
            self._observation,
            self._rewards,
            self._terminated,
            self._truncated,
            self._begun,
            True,
        )
        info: dict[str, Any] = {}
        ended = self._terminated | self._truncated
        for index in np.flatnonzero(ended).tolist():
            told = {"is_success": self._environments.outcome(index) == "success", "steps": self._environments.steps(index)}
            info = self._add_info(info, told, index)
        if self._begun.any():
            self._tell_goals(info, self._begun.copy())
        rewards = self._rewards.sum(axis=1) if self._rewards.shape[1] > 1 else self._rewards[:, 0]
        given = (rewards, self._terminated, self._truncated)
        rewards, terminated, truncated = (array.copy() for array in given) if self._copy else given
        return self._observed(), rewards, terminated, truncated, info

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """The worlds from above, `[height, width, 3]` each; None without a render mode."""
        if self.render_mode is None:
            return None
        height, width = self._environments.picture_size(RENDER_WIDTH_PX)
        return tuple(self._drawn(np.empty((self.num_envs, height, width, 3), np.uint8), RENDER_WIDTH_PX))

    def close_extras(self, **_: Any) -> None:
        """There is nothing to close."""

    @property
    def layout(self) -> Layout:
        """Their agents and their channels."""
        return self._layout

    def digests(self) -> list[str]:
        """Hashes over the trajectories so far, as `forethought batch` has them."""
        return [self._environments.digest(index) for index in range(self.num_envs)]

    def _observed(self) -> Any:
        if self._layout.observations == "pixels":
            pixels = self._drawn(self._pixels, self._width_px)
            return pixels.copy() if self._copy else pixels
        if self._layout.observations == "dict" or self._copy:
            return self._layout.split(self._observation)
        return self._observation

    def _drawn(self, pixels: NDArray[np.uint8], width_px: int) -> NDArray[np.uint8]:
        self._environments.draw(0, width_px, pixels.reshape(-1), self.num_envs)
        return pixels

    def _tell_goals(self, info: dict[str, Any], which: NDArray[np.bool_]) -> None:
        if not self._layout.has_goal:
            return
        self._environments.goals(self._goals)
        places = np.full((self.num_envs, len(self._layout.agents), 2), np.nan, np.float32)
        for index in np.flatnonzero(which).tolist():
            for agent, place in enumerate(self._environments.goal_positions(index)):
                places[index, agent] = np.nan if place is None else place
        info["goal"], info["_goal"] = self._layout.split(self._goals), which
        info["goal_position_m"] = places[:, 0] if places.shape[1] == 1 else places
        info["_goal_position_m"] = which
