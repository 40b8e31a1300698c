"""A scenario as a Gymnasium environment. Read first: `ForethoughtEnv`."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from forethought._native import Environments
from forethought.layout import Layout, Observations, Plan, Split, as_actions, check_render_mode, frames_per_s

RENDER_WIDTH_PX = 480


class ForethoughtEnv(gymnasium.Env[Any, NDArray[np.float32]]):
    """An agent in a 2-D physics sandbox; where a scenario has several, all of them at once, side by side.

    **Observations** are what the agent's sensors tell, in metres, metres a second and so on: `observations="flat"` (one float32
    array), `"dict"` (one array a channel) or `"pixels"` (the world from above, `width_px` wide). An agent with a goal is told where
    it is: `goal.position_m`, the last two values, unless `goal_in_observation=False`.

    **Actions** are values in [-1, 1], which the actuator scales: mostly the wanted velocity in x and y.

    **Reward** of a control step, summed over agents: 1 for each metre nearer to the goal as the crow flies, and 10 for being there
    for the first time; 10 for a whole store of energy and 10 for a whole health, counted as they change; -10 for a failure that ends
    the episode, death included; -1 for each collision with another agent that begins.

    **An episode ends** (`terminated`) by success or failure. At the step limit it is cut off (`truncated`), and so it is where success
    is to have lived that long, for life could have gone on.

    **Worlds** differ from episode to episode. `reset(seed=s)` begins episode 0 of seed `s`, and each `reset()` after it the next one.
    `options={"split": "train"}` (the default) draws worlds of training; `"practice"` too, with factors of variation as in evaluation;
    `"episode"` draws those of evaluation, which are never one of the others: its episode `i` of seed `s` is the one that
    `forethought batch SCENARIO --seed s` runs as its episode `i`. `options={"episode": i}` goes to one by its number.

    **Info** has the goal as an observation (`goal`: what would be sensed there) and its place (`goal_position_m`), after `reset` also
    the factors of variation, and after the last step `is_success`, `outcome`, `steps` and the trajectory's `digest`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self,
        scenario: str | PathLike[str],
        *,
        observations: Observations = "flat",
        goal_in_observation: bool = True,
        split: Split = "train",
        width_px: int = 64,
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode)
        self._environments = Environments(fspath(scenario), 1, 1, goal_in_observation)
        self._layout = Layout.of(self._environments, observations, width_px)
        self._plan = Plan.before(split)
        self._width_px = width_px
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": frames_per_s(self._environments)}
        self.observation_space = self._layout.observation_space()
        self.action_space = self._layout.action_space()
        self._observation = np.zeros((1, self._environments.observation_size), np.float32)
        self._goal = np.zeros_like(self._observation)
        self._rewards = np.zeros((1, len(self._layout.agents)))
        self._terminated, self._truncated, self._begun = (np.zeros(1, bool) for _ in range(3))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: of this seed, or the next one."""
        super().reset(seed=seed)
        plan = self._plan.following(seed, options, int(self.np_random.integers(2**63)))
        self._environments.begin(0, plan.seed, plan.split, plan.episode, self._observation)
        self._plan = plan
        return self._observed(), {**self._environments.facts(0), **self._goal_info()}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One control step. Raises a `ValueError` where the episode is over or the action cannot be done."""
        actions = as_actions(action, self.action_space.shape)[None]
        self._environments.step(
            actions, self._observation, self._rewards, self._terminated, self._truncated, self._begun, False
        )
        terminated, truncated = bool(self._terminated[0]), bool(self._truncated[0])
        info = self._goal_info()
        info["steps"] = self._environments.steps(0)
        if terminated or truncated:
            outcome = self._environments.outcome(0)
            info.update(outcome=outcome, is_success=outcome == "success", digest=self.digest)
        return self._observed(), float(self._rewards.sum()), terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """The world from above, `[height, width, 3]`; None without a render mode."""
        return None if self.render_mode is None else self._picture(RENDER_WIDTH_PX)

    @property
    def digest(self) -> str:
        """A hash over the trajectory so far, as `forethought batch` has it."""
        return self._environments.digest(0)

    @property
    def layout(self) -> Layout:
        """Its agents and their channels."""
        return self._layout

    def _observed(self) -> Any:
        if self._layout.observations == "pixels":
            return self._picture(self._width_px)
        return self._layout.split(self._observation[0])

    def _picture(self, width_px: int) -> NDArray[np.uint8]:
        height, width = self._environments.picture_size(width_px)
        pixels = np.empty(height * width * 3, np.uint8)
        self._environments.draw(0, width_px, pixels, 1)
        return pixels.reshape(height, width, 3)

    def _goal_info(self) -> dict[str, Any]:
        if not self._layout.has_goal:
            return {}
        self._environments.goals(self._goal)
        nowhere = (np.nan, np.nan)
        places = [nowhere if place is None else place for place in self._environments.goal_positions(0)]
        place = np.array(places[0] if len(places) == 1 else places, np.float32)
        return {"goal": self._layout.split(self._goal[0]), "goal_position_m": place}
