"""Every scenario as a Gymnasium environment."""

from __future__ import annotations

import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import forethought
from forethought.registration import environment_id


def play(env: gymnasium.Env, steps: int, **reset: object) -> list[np.ndarray]:
    """Observations of so many steps under actions that are the same each time; episodes that end begin anew."""
    random = np.random.default_rng(0)
    observation, _ = env.reset(**reset)
    seen = [observation]
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(random.uniform(-1, 1, env.action_space.shape))
        if terminated or truncated:
            observation, _ = env.reset()
        seen.append(observation)
    return seen


def test_all_scenarios_are_registered() -> None:
    files = Path(__file__).parents[2].glob("scenarios/*.ron")
    expected = {environment_id(file.stem) for file in files}
    registered = {name for name in gymnasium.registry if name.startswith("forethought/")}
    assert expected == registered and "forethought/TwoRooms-v0" in expected


@pytest.mark.parametrize("observations", ["flat", "dict", "pixels"])
def test_gymnasium_finds_nothing_wrong(scenario: str, observations: str) -> None:
    env = gymnasium.make(environment_id(scenario), observations=observations, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Senses have units, and places have no end.
        warnings.filterwarnings("ignore", message=".*infinity.*")
        # A maze's floor plan, say, is an array of any shape.
        warnings.filterwarnings("ignore", message=".*not an image.*")
        check_env(env.unwrapped)


def test_an_episode_ends_once_and_says_how() -> None:
    env = gymnasium.make("forethought/TwoRooms-v0").unwrapped
    observation, info = env.reset(seed=3)
    assert set(info) >= {"goal", "goal_position_m", "factors", "seed", "split", "episode", "episode_seed"}
    assert info["goal"].shape == observation.shape and np.array_equal(info["goal"][-2:], info["goal_position_m"])
    assert np.array_equal(observation[-2:], info["goal_position_m"])
    assert 3 <= info["factors"]["wall_x"] <= 7
    for step in range(1, 201):
        _, _, terminated, truncated, info = env.step(np.zeros(2))
        assert (terminated, truncated) == (False, step == 200)
    assert (info["outcome"], info["is_success"], info["steps"]) == ("time_limit", False, 200)
    assert info["digest"] == env.digest and len(env.digest) == 16
    with pytest.raises(ValueError, match="no episode is under way"):
        env.step(np.zeros(2))


def test_the_way_to_the_goal_is_rewarded() -> None:
    env = gymnasium.make("forethought/TwoRooms-v0")
    arrived = 0
    for seed in range(20):
        observation, info = env.reset(seed=seed)
        before = np.hypot(*(observation[:2] - info["goal_position_m"]))
        total, over = 0.0, False
        while not over:
            observation, reward, terminated, truncated, info = env.step(np.clip(info["goal_position_m"] - observation[:2], -1, 1))
            total, over = total + reward, terminated or truncated
        after = np.hypot(*(observation[:2] - info["goal_position_m"]))
        assert terminated == info["is_success"]
        assert total == pytest.approx(before - after + 10 * info["is_success"], abs=1e-3)
        arrived += info["is_success"]
    assert 0 < arrived < 20


def test_seeds_decide_worlds_and_splits_keep_them_apart() -> None:
    env = gymnasium.make("forethought/TwoRooms-v0")
    first, again = play(env, 450, seed=7), play(env, 450, seed=7)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))

    def world(**options: object) -> tuple[str, int, dict[str, float]]:
        _, info = env.reset(seed=7, options=options)
        return info["split"], info["episode"], info["factors"]

    worlds = [world(split=split, episode=episode) for split in ("train", "practice", "episode") for episode in (0, 5)]
    assert len({str(factors) for _, _, factors in worlds}) == 6
    assert world(split="episode", episode=5) == worlds[5]
    env.reset(seed=7, options={"split": "episode"})
    numbers = [env.reset()[1]["episode"] for _ in range(5)]
    assert numbers == [1, 2, 3, 4, 5] and env.reset(options={"episode": 5})[1]["factors"] == worlds[5][2]


def test_channels_are_the_flat_observation() -> None:
    flat, by_name = (forethought.make("foraging", observations=kind) for kind in ("flat", "dict"))
    for one, other in zip(play(flat, 30, seed=1), play(by_name, 30, seed=1), strict=True):
        assert np.array_equal(one, np.concatenate([value.ravel() for value in other.values()]))
    assert "goal.position_m" not in other and other["lidar.range_m"].shape == (32,)
    bare = forethought.make("two_rooms", goal_in_observation=False)
    assert bare.observation_space.shape == (36,)


def test_pictures_show_what_moves() -> None:
    env = forethought.make("two_rooms", observations="pixels", width_px=48, render_mode="rgb_array")
    seen = play(env, 10, seed=1)
    assert seen[0].shape == (48, 48, 3) and not np.array_equal(seen[0], seen[10])
    assert len(np.unique(seen[0].reshape(-1, 3), axis=0)) > 5
    picture = env.render()
    assert picture.shape == (480, 480, 3) and picture.dtype == np.uint8


def test_lives_are_cut_off_not_ended(tmp_path: Path) -> None:
    """Success is to have lived so long: a learner must not think that nothing comes after."""
    short = tmp_path / "short.ron"
    short.write_text(forethought.scenarios()["foraging"].read_text().replace("2000", "5"))
    env = forethought.make(short).unwrapped
    env.reset(seed=1, options={"split": "episode", "episode": 1})
    steps = [env.step(np.zeros(2)) for _ in range(5)]
    assert [(terminated, truncated) for _, _, terminated, truncated, _ in steps] == [(False, False)] * 4 + [(False, True)]
    assert steps[-1][4]["is_success"] and "goal" not in steps[-1][4]
    assert all(-0.1 < reward < 0 for _, reward, *_ in steps), "its store runs down"
