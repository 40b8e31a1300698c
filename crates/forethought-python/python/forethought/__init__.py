"""Agents that plan by imagining, for Python."""

from pathlib import Path

from forethought import _native

# What the package brings along: as in the source tree, a scenario names its model as ../assets/NAME.safetensors.
_native.installed_in(Path(__file__).resolve().parent / "scenarios")
