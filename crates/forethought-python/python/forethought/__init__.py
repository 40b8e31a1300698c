"""Agents that plan by imagining, for Python.

Read first: `make` and the names that `gymnasium.make` knows once this is imported ("forethought/TwoRooms-v0", one for each scenario
that comes along; "forethought:forethought/TwoRooms-v0" imports it), `VectorEnv` (many environments stepped in Rust), `parallel_env` (several agents, for PettingZoo) and `Mind` (encode, predict, energy,
plan). `python -m forethought` is the command line.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forethought import _native
from forethought.registration import make, register_environments, scenarios

if TYPE_CHECKING:
    from forethought.environment import ForethoughtEnv
    from forethought.mind import Mind
    from forethought.multi_agent import ParallelEnv, parallel_env
    from forethought.vector import VectorEnv

__version__: str = _native.version()

__all__ = [
    "ForethoughtEnv",
    "Mind",
    "ParallelEnv",
    "VectorEnv",
    "make",
    "parallel_env",
    "register_environments",
    "scenarios",
]

# What the package brings along: as in the source tree, a scenario names its model as ../assets/NAME.safetensors.
_native.installed_in(Path(__file__).resolve().parent / "scenarios", Path(_native.__file__).resolve())

# Imported when they are asked for: the command line needs none of them, and PettingZoo is an extra.
_LAZY = {
    "ForethoughtEnv": "environment",
    "Mind": "mind",
    "ParallelEnv": "multi_agent",
    "VectorEnv": "vector",
    "parallel_env": "multi_agent",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])


register_environments()
