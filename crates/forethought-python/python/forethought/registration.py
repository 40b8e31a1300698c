"""The names by which Gymnasium knows the scenarios. Read first: `register_environments`."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec, register, registry
from gymnasium.envs.registration import make as gymnasium_make

NAMESPACE = "forethought"
VERSION = "v0"


def scenarios() -> dict[str, Path]:
    """The scenarios that come along: their names, such as `two_rooms`, and their files."""
    folder = Path(__file__).resolve().parent / "scenarios"
    return {file.stem: file for file in sorted(folder.glob("*.ron"))}


def environment_id(scenario: str) -> str:
    """The name of a scenario as Gymnasium has it: `two_rooms` is `forethought/TwoRooms-v0`."""
    camel = "".join(part.capitalize() for part in scenario.split("_"))
    return f"{NAMESPACE}/{camel}-{VERSION}"


def register_environments() -> None:
    """Register each scenario that comes along. Importing `forethought` does so; doing it again does nothing."""
    for name in scenarios():
        identifier = environment_id(name)
        if identifier not in registry:
            register(
                id=identifier,
                entry_point="forethought.environment:ForethoughtEnv",
                vector_entry_point="forethought.vector:VectorEnv",
                kwargs={"scenario": name},
            )


def make(scenario: str | PathLike[str], **options: Any) -> Any:
    """As `gymnasium.make`, of a scenario: the name of one that comes along, such as "two_rooms", or the path of a RON file.

    Options are those of `forethought.ForethoughtEnv` and of `gymnasium.make`. A scenario with mistakes raises a `ValueError` that
    lists them all, as `forethought check` does.
    """
    wanted = fspath(scenario)
    if wanted in scenarios():
        return gymnasium_make(environment_id(wanted), **options)
    spec = EnvSpec(
        id=environment_id("".join(c if c.isalnum() or c == "_" else "_" for c in Path(wanted).stem)),
        entry_point="forethought.environment:ForethoughtEnv",
        vector_entry_point="forethought.vector:VectorEnv",
        kwargs={"scenario": wanted},
    )
    return gymnasium_make(spec, **options)
