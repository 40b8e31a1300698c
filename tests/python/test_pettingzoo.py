"""Several agents, each for itself."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pettingzoo", reason="PettingZoo is an extra: pip install forethought[agents]")
from pettingzoo.test import parallel_api_test, parallel_seed_test  # noqa: E402

import forethought  # noqa: E402


@pytest.mark.parametrize("observations", ["flat", "dict"])
@pytest.mark.parametrize("name", ["crowd", "two_rooms"])
def test_pettingzoo_finds_nothing_wrong(name: str, observations: str) -> None:
    parallel_api_test(forethought.parallel_env(name, observations=observations), num_cycles=450)


def test_seeds_repeat() -> None:
    parallel_seed_test(lambda: forethought.parallel_env("crowd"), num_cycles=100)


def test_agents_are_the_joint_environment() -> None:
    parallel, joint = forethought.parallel_env("crowd"), forethought.make("crowd")
    assert parallel.possible_agents == [f"agent_{i}" for i in range(12)]
    observations, _ = parallel.reset(seed=4)
    joined, _ = joint.reset(seed=4)
    random = np.random.default_rng(3)
    for _ in range(200):
        assert np.array_equal(np.concatenate(list(observations.values())), joined)
        actions = {agent: random.uniform(-1, 1, 2).astype(np.float32) for agent in parallel.agents}
        observations, rewards, _, truncated, infos = parallel.step(actions)
        joined, reward, _, cut, info = joint.step(np.concatenate(list(actions.values())))
        assert sum(rewards.values()) == pytest.approx(reward, abs=1e-9)
    assert cut and all(truncated.values()) and parallel.agents == []
    assert infos["agent_3"]["digest"] == info["digest"]


def test_each_is_told_its_own_goal() -> None:
    env = forethought.parallel_env("crowd")
    observations, infos = env.reset(seed=1)
    places = [tuple(infos[agent]["goal_position_m"]) for agent in env.agents]
    assert len(set(places)) == 12
    assert all(tuple(observations[agent][-2:]) == place for agent, place in zip(env.agents, places, strict=True))
    with pytest.raises(ValueError, match="no agents"):
        env.step({"nobody": np.zeros(2)})
    with pytest.raises(ValueError, match="pixels"):
        forethought.parallel_env("crowd", observations="pixels")
