"""What Ray costs for each shard, for docs/billion_steps.md: CPU time, which other load hardly changes, of all that Ray runs on this
machine, for many shards and for few of the same batch.

    python tests/python/ray_costs.py
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import ray

EPISODES = 2200
FEW, MANY = 10, 110
SAMPLE_EVERY_S = 0.1


class Spent:
    """CPU time of Ray's processes, the descendants of this one but for the driver. Ray does not wait for its workers, so that their
    time is only known while they live: it is sampled."""

    def __init__(self, driver: int) -> None:
        self.driver, self.first, self.last = driver, {}, {}
        self.sample()
        self.first = dict(self.last)

    def sample(self) -> None:
        parents, ticks = {}, {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            number = int(path.parent.name)
            # User and system time, its own and that of its children.
            parents[number], ticks[number] = int(fields[1]), sum(int(field) for field in fields[11:15])

        def is_ours(number: int) -> bool:
            return number == os.getpid() or (number != self.driver and number in parents and is_ours(parents[number]))

        self.last |= {number: spent for number, spent in ticks.items() if number != os.getpid() and is_ours(number)}

    def secs(self) -> float:
        return sum(spent - self.first.get(number, 0) for number, spent in self.last.items()) / os.sysconf("SC_CLK_TCK")


def run(shards: int, address: str, folder: str) -> dict:
    """A batch of the shortest episodes in so many shards: CPU seconds of the driver, of Ray and of the shards' own processes."""
    words = ["two_rooms", "--actor", "random", "--set", "episode.max_steps=1", "--episodes", str(EPISODES), "--seed", "1", "--json"]
    command = [sys.executable, "-m", "forethought.ray", "batch", *words, f"--shards={shards}", f"--address={address}", f"--out={folder}/{shards}"]
    before = os.times()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        spent = Spent(process.pid)
        while process.poll() is None:
            spent.sample()
            try:
                process.wait(SAMPLE_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
        told = json.loads(process.stdout.read().splitlines()[-1])["ray"]
    after = os.times()
    driver = after.children_user + after.children_system - before.children_user - before.children_system
    # A worker has waited for its shards' processes: their time is among its own.
    ray_alone = spent.secs() - told["shard_cpu_secs"]
    return {"driver": driver, "ray": ray_alone, "shards": told["shard_cpu_secs"], "wall": told["wall_secs"]}


def main() -> None:
    context = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="warning", object_store_memory=200 * 2**20)
    address = context.address_info["gcs_address"]
    with tempfile.TemporaryDirectory() as folder:
        run(2, address, folder)
        few, many = (run(shards, address, folder) for shards in (FEW, MANY))
    for what, words in [
        ("shards", "the shard's own process: start, files, log"),
        ("ray", "Ray's processes: placing, files, results"),
        ("driver", "the driver: keeping, merging"),
        ("wall", "wall clock, two at a time"),
    ]:
        print(f"{1000 * (many[what] - few[what]) / (MANY - FEW):7.1f} ms a shard: {words} ({few[what]:.2f} s for {FEW}, {many[what]:.2f} s for {MANY})")


if __name__ == "__main__":
    main()
