"""The mind on arrays, and that its life in an environment is the episode of a batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import forethought
from forethought import Mind


@pytest.fixture(scope="module")
def mind() -> Mind:
    return Mind.load("two_rooms")


def scene(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    observation, info = forethought.make("two_rooms").reset(seed=seed)
    return observation, info["goal"]


def live(name: str, seed: int, episode: int) -> dict[str, Any]:
    """An episode of evaluation, each agent led by its own mind."""
    env = forethought.parallel_env(name)
    minds = {agent: Mind.load(name, agent=index) for index, agent in enumerate(env.possible_agents)}
    observations, infos = env.reset(seed=seed, options={"split": "episode", "episode": episode})
    for agent, mind in minds.items():
        mind.begin(infos[agent]["episode_seed"])
    while env.agents:
        actions = {agent: minds[agent].act(observations[agent], infos[agent].get("goal")) for agent in env.agents}
        observations, _, _, _, infos = env.step(actions)
    return infos[env.possible_agents[0]]


@pytest.mark.parametrize(("name", "episodes"), [("two_rooms", 3), ("fork", 2), ("crowd", 1), ("maze", 1), ("foraging", 1)])
def test_a_life_is_the_episode_of_a_batch(name: str, episodes: int, batch: Callable[..., list[dict[str, Any]]]) -> None:
    pytest.importorskip("pettingzoo")
    lines = batch(name, "--seed", "1000", "--episodes", str(episodes))
    for line in lines:
        info = live(name, 1000, line["episode"])
        assert (info["digest"], info["outcome"]) == (line["digest"], line["outcome"])


def test_arrays_have_the_shapes_they_should(mind: Mind) -> None:
    observation, goal = scene()
    assert (mind.observation_size, mind.action_size, mind.latent_size, mind.stride, mind.horizon) == (36, 2, 32, 4, 64)
    rows = np.stack([observation, goal, observation])
    latents = mind.encode(rows)
    assert latents.shape == (3, 32) and latents.dtype == np.float32
    assert np.array_equal(latents[0], latents[2]) and not np.array_equal(latents[0], latents[1])
    assert np.array_equal(mind.encode(rows[:, :36]), latents), "where the goal is is not sensed"
    random = np.random.default_rng(0)
    actions = random.uniform(-1, 1, (3, 16, 2)).astype(np.float32)
    foretold = mind.predict(latents, actions)
    assert foretold.shape == (3, 4, 32)
    step = mind.predict(foretold[:, 1], actions[:, 8:12])
    assert np.allclose(step[:, 0], foretold[:, 2], atol=1e-5), "predictions follow each other"
    assert np.array_equal(mind.predict(latents[1:2], actions[1:2])[0], foretold[1])
    assert mind.energy(latents, actions, goal).shape == (3,)


def test_plans_are_better_than_chance_and_energies_agree(mind: Mind) -> None:
    observation, goal = scene()
    actions, energies = mind.plan(observation, goal, seed=3)
    assert actions.shape[1:] == (64, 2) and energies.shape == actions.shape[:1]
    assert np.all(np.abs(actions) <= 1) and np.all(np.diff(energies) >= 0)
    latents = np.repeat(mind.encode(observation[None]), len(actions), axis=0)
    assert np.allclose(mind.energy(latents, actions, goal), energies, rtol=1e-4)
    chance = np.random.default_rng(0).uniform(-1, 1, actions.shape)
    assert energies[0] < mind.energy(latents, chance, goal).min()
    again, _ = mind.plan(observation, goal, seed=3)
    other, _ = mind.plan(observation, goal, seed=4)
    assert np.array_equal(again, actions) and not np.array_equal(other, actions)


def test_the_world_goes_as_foretold(mind: Mind) -> None:
    env = forethought.make("two_rooms")
    random, errors, changes = np.random.default_rng(5), [], []
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        actions = np.repeat(random.uniform(-1, 1, (1, 1, 2)), 4, axis=1)
        before = mind.encode(observation[None])
        for action in actions[0]:
            observation, *_ = env.step(action)
        after = mind.encode(observation[None])
        errors.append(np.linalg.norm(mind.predict(before, actions)[:, 0] - after))
        changes.append(np.linalg.norm(before - after))
    assert np.mean(errors) < 0.5 * np.mean(changes)


def test_a_floor_plan_is_read_where_a_model_needs_one() -> None:
    mind = Mind.load("maze")
    observation, info = forethought.make("maze").reset(seed=1)
    latents, actions = mind.encode(observation[None]), np.zeros((1, 8, 2))
    with pytest.raises(ValueError, match="floor plan"):
        mind.predict(latents, actions)
    assert mind.predict(latents, actions, floor_plan=mind.floor_plan(observation)).shape == (1, 2, mind.latent_size)
    assert mind.plan(observation, info["goal"])[0].shape[2] == 2
    with pytest.raises(ValueError, match="senses no floor plan"):
        Mind.load("two_rooms").floor_plan(observation)


def test_futures_differ_with_a_latent_variable() -> None:
    mind = Mind.load("fork")
    assert mind.codes > 1
    observation, _ = forethought.make("fork").reset(seed=1)
    latents, actions = mind.encode(observation[None]), np.zeros((1, 40, 2))
    first, second = (mind.predict(latents, actions, z=z) for z in (0, 1))
    assert not np.allclose(first, second)
    with pytest.raises(ValueError, match="latent variable"):
        mind.predict(latents, actions, z=99)


def test_a_model_knows_its_scenario() -> None:
    file = forethought.scenarios()["two_rooms"].parents[1] / "assets" / "two_rooms.safetensors"
    observation, goal = scene()
    plans = [mind.plan(observation, goal)[0] for mind in (Mind.load(file), Mind.load("two_rooms", file), Mind.load("two_rooms"))]
    assert np.array_equal(plans[0], plans[1]) and np.array_equal(plans[0], plans[2])


def test_needs_need_no_goal() -> None:
    mind = Mind.load("foraging")
    observation, info = forethought.make("foraging").reset(seed=1)
    actions, energies = mind.plan(observation, info.get("goal"))
    latents = np.repeat(mind.encode(observation[None]), len(actions), axis=0)
    assert np.allclose(mind.energy(latents, actions), energies, rtol=1e-4)


def test_other_threads_go_on_meanwhile(mind: Mind) -> None:
    observation, goal = scene()
    counted, over = 0, threading.Event()

    def plan() -> None:
        for seed in range(60):
            mind.plan(observation, goal, seed=seed)
        over.set()

    thread = threading.Thread(target=plan)
    thread.start()
    while not over.is_set():
        counted += 1
    thread.join()
    # With the lock held they would take turns every 5 ms, and hardly come to a thousand turns of this loop.
    assert counted > 10_000
