"""Tests of the Python package. They need it importable: installed from its wheel, or `crates/forethought-python/python` on the path
with the library beside it (`.ci/run` does that)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forethought

NAMES = sorted(forethought.scenarios())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" in metafunc.fixturenames:
        metafunc.parametrize("scenario", NAMES)


@pytest.fixture
def batch(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Runs `forethought batch` with these arguments: the lines of its episodes."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        out = tmp_path / "batch"
        command = [sys.executable, "-m", "forethought", "batch", *arguments, "--jobs", "1", "--out", str(out)]
        subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
        lines = (out / "episodes.jsonl").read_text().splitlines()
        return sorted((json.loads(line) for line in lines), key=lambda line: line["episode"])

    return run
