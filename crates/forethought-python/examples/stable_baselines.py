#!/usr/bin/env python3
"""A Stable-Baselines3 agent learns to cross two_rooms from its reward alone, and is then measured in worlds of evaluation, beside
random actions, a straight dash to the goal and Forethought's own mind, which has seen no reward, in the same worlds.

    pip install forethought stable-baselines3
    python stable_baselines.py --algorithm sac --steps 50000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

import forethought

Policy = Callable[[np.ndarray, dict[str, Any]], np.ndarray]


def measure(policy: Policy, scenario: str, episodes: int, began: Callable[[dict[str, Any]], None] = lambda _: None) -> str:
    """Success and mean return in so many worlds of evaluation, those of `forethought batch --seed 1000`."""
    env = forethought.make(scenario)
    successes, returns, steps = 0, [], []
    for episode in range(episodes):
        observation, info = env.reset(seed=1000, options={"split": "episode", "episode": episode})
        began(info)
        total, over = 0.0, False
        while not over:
            observation, reward, terminated, truncated, info = env.step(policy(observation, info))
            total, over = total + float(reward), terminated or truncated
        successes += info["is_success"]
        returns.append(total)
        if info["is_success"]:
            steps.append(info["steps"])
    share = successes / episodes
    spread = 1.96 * (share * (1 - share) / episodes) ** 0.5
    took = f"{np.mean(steps):.0f}" if steps else "-"
    return f"success {share:.1%} (+- {spread:.1%}) of {episodes}, return {np.mean(returns):.2f}, {took} steps when it succeeds"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scenario", default="two_rooms")
    arguments.add_argument("--algorithm", choices=["ppo", "sac"], default="sac")
    arguments.add_argument("--steps", type=int, default=50_000)
    arguments.add_argument("--episodes", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)

    def make() -> gymnasium.Env[Any, Any]:
        return forethought.make(given.scenario)

    env = VecNormalize(make_vec_env(make, n_envs=8, seed=given.seed), clip_obs=10.0)
    if given.algorithm == "ppo":
        model = PPO("MlpPolicy", env, n_steps=256, batch_size=256, gamma=0.98, ent_coef=0.005, seed=given.seed, device="cpu")
    else:
        model = SAC("MlpPolicy", env, gamma=0.98, gradient_steps=4, learning_starts=2_000, seed=given.seed, device="cpu")
    begin = time.perf_counter()
    model.learn(given.steps)
    took = time.perf_counter() - begin
    print(f"{given.algorithm} learned for {model.num_timesteps} steps in {took:.0f} s", flush=True)

    random = np.random.default_rng(0)
    mind = forethought.Mind.load(given.scenario)

    def learned(observation: np.ndarray, _: dict[str, Any]) -> np.ndarray:
        return model.predict(env.normalize_obs(observation), deterministic=True)[0]

    def dash(observation: np.ndarray, info: dict[str, Any]) -> np.ndarray:
        return np.clip(info["goal_position_m"] - observation[:2], -1, 1)

    policies: dict[str, Policy] = {
        given.algorithm: learned,
        "random": lambda *_: random.uniform(-1, 1, 2),
        "straight": dash,
        "the mind": lambda observation, info: mind.act(observation, info["goal"]),
    }
    for name, policy in policies.items():
        print(f"{name}: {measure(policy, given.scenario, given.episodes, lambda info: mind.begin(info['episode_seed']))}", flush=True)


if __name__ == "__main__":
    main()
