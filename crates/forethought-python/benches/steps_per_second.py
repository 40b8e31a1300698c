#!/usr/bin/env python3
"""Environment steps a second through Gymnasium's interface, on one core: Forethought beside LunarLanderContinuous and beside two rooms
in pymunk (Chipmunk), whose agent senses 32 rays too.

    pip install forethought "gymnasium[box2d]" pymunk
    python steps_per_second.py

All are stepped through `gymnasium.vector`: Forethought's own vector environment on one thread, and for the others Gymnasium's
`SyncVectorEnv`, which is theirs. Rounds go by turns, so that what else the machine does is shared; times are of the process's
own processor time, and what is compared are the medians of ratios, round by round.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

# One core each: libraries below NumPy are not to take more.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import gymnasium  # noqa: E402
import numpy as np  # noqa: E402
import pymunk  # noqa: E402
from gymnasium import spaces  # noqa: E402
from gymnasium.vector import SyncVectorEnv, VectorEnv  # noqa: E402

import forethought  # noqa: E402

PHYSICS_STEP_S, SUBSTEPS, TIME_CONSTANT_S = 0.025, 4, 0.145
RAYS, RANGE_M, RADIUS_M, MAX_SPEED_M_S, MAX_STEPS = 32, 15.0, 0.3, 3.0, 200


class PymunkTwoRooms(gymnasium.Env[np.ndarray, np.ndarray]):
    """The world of scenarios/two_rooms.ron in pymunk: the same arena, wall, door, agent, actuator, rays and control step."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (4 + RAYS + 2,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        angles = [2.0 * math.pi * ray / RAYS for ray in range(RAYS)]
        self.ends = [(RANGE_M * math.cos(angle), RANGE_M * math.sin(angle)) for angle in angles]
        self.approach = -math.expm1(-PHYSICS_STEP_S / TIME_CONSTANT_S)
        # Shapes of one group do not meet, so the agent's rays pass its own shape.
        self.filter = pymunk.ShapeFilter(group=1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        draw = self.np_random.uniform
        wall_x, door_y = draw(3, 7), draw(2, 8)
        places = [(draw(0.6, wall_x - 0.8), draw(0.6, 9.4)), (draw(wall_x + 0.8, 9.4), draw(0.6, 9.4))]
        start, self.goal = places if draw() < 0.5 else places[::-1]
        self.space = pymunk.Space()
        # Chipmunk's default, 0.1, is meant for pixels rather than metres.
        self.space.collision_slop = 0.005
        boxes = [(-2.5, -2.5, 0, 12.5), (10, -2.5, 12.5, 12.5), (0, -2.5, 10, 0), (0, 10, 10, 12.5)]
        boxes += [(wall_x - 0.2, 0, wall_x + 0.2, door_y - 0.9), (wall_x - 0.2, door_y + 0.9, wall_x + 0.2, 10)]
        for box in boxes:
            shape = pymunk.Poly.create_box_bb(self.space.static_body, pymunk.BB(*box))
            shape.friction = 0.0
            self.space.add(shape)
        self.agent = pymunk.Body(math.pi * RADIUS_M**2, math.inf)
        disc = pymunk.Circle(self.agent, RADIUS_M)
        disc.filter, disc.friction = self.filter, 0.0
        self.space.add(self.agent, disc)
        self.agent.position, self.steps, self.distance = start, 0, math.dist(start, self.goal)
        return self._observe(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        x, y = (MAX_SPEED_M_S * float(value) for value in action)
        for _ in range(SUBSTEPS):
            u, v = self.agent.velocity
            self.agent.velocity = u + self.approach * (x - u), v + self.approach * (y - v)
            self.space.step(PHYSICS_STEP_S)
        before, self.distance = self.distance, math.dist(self.agent.position, self.goal)
        self.steps += 1
        arrived = self.distance <= 0.5
        return self._observe(), before - self.distance + 10 * arrived, arrived, self.steps >= MAX_STEPS, {}

    def _observe(self) -> np.ndarray:
        query, own = self.space.segment_query_first, self.filter
        x, y = here = self.agent.position
        hits = [query(here, (x + to_x, y + to_y), 0.0, own) for to_x, to_y in self.ends]
        ranges = [RANGE_M if hit is None else RANGE_M * hit.alpha for hit in hits]
        return np.array([x, y, *self.agent.velocity, *ranges, *self.goal], np.float32)


def of_many(make: Callable[[], gymnasium.Env[Any, Any]], count: int) -> VectorEnv[Any, Any, Any]:
    return SyncVectorEnv([make] * count, copy=False)


def contenders(ours: int, peers: int) -> dict[str, VectorEnv[Any, Any, Any]]:
    vector = {"vectorization_mode": "vector_entry_point"}
    return {
        "forethought": gymnasium.make_vec("forethought/TwoRooms-v0", ours, copy=False, **vector),
        "pymunk": of_many(PymunkTwoRooms, peers),
        "LunarLanderContinuous": of_many(lambda: gymnasium.make("LunarLander-v3", continuous=True), peers),
    }


def steps_per_second(env: VectorEnv[Any, Any, Any], seconds: float, actions: list[np.ndarray]) -> float:
    """Of the process's own time. Random actions are drawn beforehand; episodes end and begin anew as they do."""
    steps, begin = 0, time.process_time()
    while (took := time.process_time() - begin) < seconds:
        for action in actions:
            env.step(action)
        steps += len(actions) * env.num_envs
    return steps / took


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--seconds", type=float, default=1.0, help="of each contender in each round")
    arguments.add_argument("--ours", type=int, default=256, help="environments in Forethought's vector environment")
    arguments.add_argument("--peers", type=int, default=8, help="environments in the others'")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()

    envs, rates = contenders(given.ours, given.peers), {}
    random = np.random.default_rng(1)
    drawn = {}
    for name, env in envs.items():
        env.reset(seed=1)
        shape = env.action_space.shape
        drawn[name] = [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(max(1, 1024 // env.num_envs))]
        steps_per_second(env, given.seconds / 2, drawn[name])
        rates[name] = []
    for round_number in range(given.rounds):
        print(f"round {round_number + 1} of {given.rounds}", file=sys.stderr)
        for name, env in envs.items():
            rates[name].append(steps_per_second(env, given.seconds, drawn[name]))

    result = {name: {"steps_per_second": statistics.median(found)} for name, found in rates.items()}
    for name, found in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(rates["forethought"], found)]
        result[name]["ratio"] = statistics.median(ratios)
        result[name]["ratio_low"], result[name]["ratio_high"] = min(ratios), max(ratios)
    if given.json:
        print(json.dumps(result))
        return
    print(f"| environment | steps a second on one core | Forethought's ratio to it (least - most of {given.rounds} rounds) |")
    print("|---|---|---|")
    for name, found in result.items():
        spread = f"{found['ratio']:.1f}x ({found['ratio_low']:.1f} - {found['ratio_high']:.1f})"
        print(f"| {name} | {found['steps_per_second']:,.0f} | {'' if name == 'forethought' else spread} |")


if __name__ == "__main__":
    main()
