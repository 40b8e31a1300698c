"""What Rust does for this package. Arrays are C-contiguous."""

from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

def main(argv: list[str]) -> int:
    """Do what a command line says, whose first word is the program's name, and return its exit status.

    A word that is not known ends the process with status 2.
    """

def installed_in(scenarios: PathLike[str], library: PathLike[str]) -> None:
    """Say where the package is installed: the folder of the scenarios that come along, and the file of this module.

    The first call counts.
    """

def version() -> str:
    """The version of Forethought."""

class Environments:
    """`count` environments of one scenario, stepped together."""

    def __init__(self, scenario: str, count: int = 1, threads: int = 1, goal_in_observation: bool = True) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def control_period_s(self) -> float: ...
    @property
    def agents(self) -> list[tuple[str, list[tuple[str, list[int]]], int, bool]]:
        """For each agent its name, its channels with their shapes, the values of its action, and whether it has a goal."""

    @property
    def observation_size(self) -> int: ...
    @property
    def action_size(self) -> int: ...
    def begin(self, at: int, seed: int, split: str, index: int, observations: NDArray[np.float32]) -> None:
        """Begin an episode in environment `at`, and write its row of `observations` `[count, observation_size]`."""

    def step(
        self,
        actions: NDArray[np.float32],
        observations: NDArray[np.float32],
        rewards: NDArray[np.float64],
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        begun: NDArray[np.bool_],
        autoreset: bool,
    ) -> None:
        """One control step of all. `actions` `[count, action_size]` is read, the others are written; `rewards` `[count, agents]`."""

    def goals(self, goals: NDArray[np.float32]) -> None:
        """Write what the agents would sense at their targets, `[count, observation_size]`; NaN without one."""

    def facts(self, at: int) -> dict[str, Any]:
        """`seed`, `split`, `episode`, `episode_seed` and `factors` of the episode in environment `at`."""

    def steps(self, at: int) -> int: ...
    def outcome(self, at: int) -> Literal["success", "failure", "time_limit"] | None: ...
    def digest(self, at: int) -> str: ...
    def goal_positions(self, at: int) -> list[tuple[float, float] | None]: ...
    def picture_size(self, width_px: int) -> tuple[int, int]:
        """Height and width of a picture of this width."""

    def draw(self, first: int, width_px: int, pixels: NDArray[np.uint8], count: int) -> None:
        """Draw `count` environments from `first` on into `pixels`, one after another."""

class Mind:
    """The mind of one agent."""

    @staticmethod
    def load(path: str, model: str | None = None, agent: int = 0) -> Mind: ...
    @property
    def scenario(self) -> str: ...
    @property
    def channels(self) -> list[tuple[str, list[int]]]: ...
    @property
    def observation_size(self) -> int: ...
    @property
    def action_size(self) -> int: ...
    @property
    def latent_size(self) -> int: ...
    @property
    def stride(self) -> int: ...
    @property
    def horizon(self) -> int: ...
    @property
    def has_goal(self) -> bool: ...
    @property
    def codes(self) -> int: ...
    def encode(self, observations: NDArray[np.float32]) -> NDArray[np.float32]: ...
    def predict(
        self,
        latents: NDArray[np.float32],
        actions: NDArray[np.float32],
        floor_plan: NDArray[np.float32] | None = None,
        z: int = 0,
    ) -> NDArray[np.float32]: ...
    def energy(
        self,
        latents: NDArray[np.float32],
        actions: NDArray[np.float32],
        goal: NDArray[np.float32] | None = None,
        floor_plan: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]: ...
    def plan(
        self, observation: NDArray[np.float32], goal: NDArray[np.float32] | None = None, seed: int = 0
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    def begin(self, episode_seed: int) -> None: ...
    def act(
        self, observation: NDArray[np.float32], goal: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]: ...
