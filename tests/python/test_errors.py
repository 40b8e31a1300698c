"""What is wrong becomes an exception that says so; the interpreter lives on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import forethought
from forethought import Mind, _native


def test_every_mistake_of_a_scenario_is_told(tmp_path: Path) -> None:
    text = forethought.scenarios()["two_rooms"].read_text()
    file = tmp_path / "wrong.ron"
    file.write_text(text.replace("radius_m: 0.3", "radius_m: -0.3").replace('"wall_x - 0.8"', '"wall_y - 0.8"'))
    with pytest.raises(ValueError) as told:
        forethought.make(file)
    check = subprocess.run([sys.executable, "-m", "forethought", "check", str(file)], capture_output=True, text=True)
    assert check.returncode == 2
    assert "agents[0].shape.radius_m" in str(told.value) and "wall_y" in str(told.value)
    assert str(told.value).splitlines()[0] in check.stdout + check.stderr


def test_names_that_are_not_known_are_told() -> None:
    with pytest.raises(ValueError, match="no scenario.*two_rooms"):
        forethought.make("no_rooms")
    wrong = {
        "observations 'sound'": {"observations": "sound"},
        "render mode 'ansi'": {"render_mode": "ansi"},
        "no split `test`": {"split": "test"},
        "3 pixels wide": {"observations": "pixels", "width_px": 3},
    }
    for told, options in wrong.items():
        with pytest.raises(ValueError, match=told):
            forethought.ForethoughtEnv("two_rooms", **options).reset(seed=1)
    env = forethought.make("two_rooms")
    with pytest.raises(ValueError, match="unknown options"):
        env.reset(options={"spilt": "train"})
    with pytest.raises(ValueError, match="no agent number 1"):
        Mind.load("two_rooms", agent=1)
    with pytest.raises(ValueError, match="safetensors"):
        Mind.load("two_rooms", "nowhere.safetensors")
    with pytest.raises(AttributeError):
        forethought.nothing  # noqa: B018


def test_arrays_that_do_not_fit_are_told() -> None:
    mind = Mind.load("two_rooms")
    latents = np.zeros((2, 32), np.float32)
    with pytest.raises(ValueError, match="observation of 5 values"):
        mind.encode(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"must be \[2, horizon, 2\]"):
        mind.predict(latents, np.zeros((3, 4, 2)))
    with pytest.raises(ValueError, match="multiple of 4 control steps"):
        mind.predict(latents, np.zeros((2, 5, 2)))
    with pytest.raises(ValueError, match="multiple of 32"):
        mind.predict(np.zeros((2, 31)), np.zeros((2, 4, 2)))
    with pytest.raises(ValueError, match="has no goal"):
        mind.energy(latents, np.zeros((2, 4, 2)))
    with pytest.raises(ValueError, match="not finite"):
        mind.encode(np.full((1, 36), np.nan))
    with pytest.raises(ValueError, match="has no goal"):
        mind.plan(np.zeros(36))
    with pytest.raises(TypeError):
        mind.encode(np.zeros(36))


def test_what_is_written_to_must_fit() -> None:
    environments = _native.Environments("two_rooms", 2)
    with pytest.raises(ValueError, match="C-contiguous array of 76 values"):
        environments.begin(0, 1, "train", 0, np.zeros((2, 40), np.float32))
    with pytest.raises(ValueError, match="no environment 2"):
        environments.begin(2, 1, "train", 0, np.zeros((2, 38), np.float32))
    with pytest.raises(ValueError, match="no episode"):
        environments.draw(0, 64, np.zeros(64 * 64 * 3, np.uint8), 1)


def test_the_command_line_is_the_programs(tmp_path: Path) -> None:
    def forethought_does(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "forethought", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert forethought_does("check", "two_rooms", "maze").returncode == 0
    wrong = forethought_does("check", "no_rooms")
    assert wrong.returncode == 2 and "no_rooms" in wrong.stderr
    assert forethought_does("nonsense").returncode == 2
    assert forethought_does("--version").stdout == f"forethought {forethought.__version__}\n"


def test_several_command_lines_in_one_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for run in range(2):
        words = ["forethought", "batch", "two_rooms", "--actor", "random", "--episodes", "2", "--out", str(tmp_path / str(run))]
        assert _native.main(words) == 0
    manifest = (tmp_path / "1" / "manifest.json").read_text()
    assert '"program_hash": null' not in manifest
