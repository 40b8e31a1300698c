"""Many environments at once: the same bits as one by one, whatever the number of threads."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import forethought


def rollout(env: forethought.VectorEnv, steps: int) -> tuple[list[np.ndarray], list[str]]:
    random = np.random.default_rng(1)
    observation, _ = env.reset(seed=20)
    seen = [observation]
    for _ in range(steps):
        actions = random.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        observation, reward, terminated, truncated, _ = env.step(actions)
        seen += [observation, reward, terminated, truncated]
    return seen, env.digests()


@pytest.mark.parametrize("name", ["two_rooms", "predator", "crowd"])
def test_threads_change_nothing(name: str) -> None:
    alone, digests = rollout(forethought.VectorEnv(20, scenario=name), 260)
    together, others = rollout(forethought.VectorEnv(20, scenario=name, threads=3), 260)
    assert digests == others
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_each_is_the_single_environment() -> None:
    vector = gymnasium.make_vec("forethought/TwoRooms-v0", num_envs=3, vectorization_mode="vector_entry_point")
    assert isinstance(vector.unwrapped, forethought.VectorEnv)
    assert vector.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    single = [gymnasium.make("forethought/TwoRooms-v0") for _ in range(3)]
    random = np.random.default_rng(2)
    observations, infos = vector.reset(seed=5)
    for index, env in enumerate(single):
        observation, info = env.reset(seed=5 + index)
        assert np.array_equal(observation, observations[index]) and np.array_equal(info["goal"], infos["goal"][index])
        assert info["episode_seed"] == infos["episode_seed"][index]
    over = [False] * 3
    for _ in range(430):
        actions = random.uniform(-1, 1, (3, 2)).astype(np.float32)
        observations, rewards, terminated, truncated, infos = vector.step(actions)
        for index, env in enumerate(single):
            if over[index]:
                observation, info = env.reset()
                expected = (observation, 0.0, False, False)
                assert infos["_goal"][index] and np.array_equal(infos["goal"][index], info["goal"])
            else:
                *expected, info = env.step(actions[index])
            assert np.array_equal(observations[index], expected[0])
            assert (rewards[index], terminated[index], truncated[index]) == tuple(expected[1:])
            over[index] = terminated[index] or truncated[index]
            if over[index]:
                assert infos["_is_success"][index] and infos["is_success"][index] == info["is_success"]
    assert vector.unwrapped.digests() == [env.unwrapped.digest for env in single]


def test_arrays_are_used_again_only_where_that_is_asked_for() -> None:
    copies, same = forethought.VectorEnv(2, scenario="two_rooms"), forethought.VectorEnv(2, scenario="two_rooms", copy=False)
    for env, shared in ((copies, False), (same, True)):
        first, _ = env.reset(seed=1)
        before = first.copy()
        second, *_ = env.step(np.ones((2, 2), np.float32))
        assert np.shares_memory(first, second) == shared
        assert np.array_equal(first, before) != shared


@pytest.mark.parametrize("observations", ["dict", "pixels"])
def test_other_observations(observations: str) -> None:
    env = forethought.VectorEnv(2, scenario="crowd", observations=observations, render_mode="rgb_array")
    seen, _ = env.reset(seed=[1, 2])
    assert env.observation_space.contains(seen)
    seen, *_ = env.step(env.action_space.sample())
    assert env.observation_space.contains(seen)
    first, second = env.render()
    assert first.shape == second.shape == (480, 480, 3) and not np.array_equal(first, second)


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(ValueError, match="give 1 or more of each"):
        forethought.VectorEnv(0, scenario="two_rooms")
    env = forethought.VectorEnv(2, scenario="two_rooms")
    with pytest.raises(ValueError, match="3 seeds for 2"):
        env.reset(seed=[1, 2, 3])
    env.reset(seed=1)
    with pytest.raises(ValueError, match="expected"):
        env.step(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="cannot be done"):
        env.step(np.full((2, 2), np.nan))
