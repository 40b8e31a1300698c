"""Stable-Baselines3 takes every scenario as it is."""

from __future__ import annotations

import warnings

import pytest

pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install stable-baselines3")
from stable_baselines3 import PPO  # noqa: E402
from stable_baselines3.common.env_checker import check_env  # noqa: E402

import forethought  # noqa: E402


@pytest.mark.parametrize("observations", ["flat", "dict", "pixels"])
def test_stable_baselines_finds_nothing_wrong(scenario: str, observations: str) -> None:
    env = forethought.make(scenario, observations=observations, render_mode="rgb_array").unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*observation .* has an unconventional shape.*")
        check_env(env)


def test_an_agent_learns_without_stumbling() -> None:
    model = PPO("MlpPolicy", forethought.make("two_rooms"), n_steps=128, batch_size=64, device="cpu", seed=1)
    model.learn(512)
    assert model.num_timesteps == 512
