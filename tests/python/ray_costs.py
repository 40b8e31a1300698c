"""What Ray costs for each shard, for docs/billion_steps.md: CPU time, which other load hardly changes, of everything that Ray runs on
this machine, for many shards and for few of the same batch.

    python tests/python/ray_costs.py
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ray

EPISODES = 2200
FEW, MANY = 10, 110
# All that Ray starts inherits this.
MARK = f"FORETHOUGHT_COSTS={os.getpid()}"


def spent() -> float:
    """CPU seconds of Ray's processes, and of those they waited for."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if MARK.encode() in (folder / "environ").read_bytes().split(b"\0"):
                # User and system time, its own and that of its children, after the name in brackets.
                ticks += sum(int(field) for field in (folder / "stat").read_text().rpartition(")")[2].split()[11:15])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def run(shards: int, address: str, folder: str) -> dict:
    """A batch of the shortest episodes in so many shards: CPU seconds of the driver, of Ray and of the shards' own processes."""
    words = ["two_rooms", "--actor", "random", "--set", "episode.max_steps=1", "--episodes", str(EPISODES), "--seed", "1", "--json"]
    command = [sys.executable, "-m", "forethought.ray", "batch", *words, f"--shards={shards}", f"--address={address}", f"--out={folder}/{shards}"]
    environment = {name: value for name, value in os.environ.items() if name != "FORETHOUGHT_COSTS"}
    before, mine = spent(), os.times()
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True)
    # A worker's time is counted with the raylet's once it is gone.
    time.sleep(2)
    now, told = os.times(), json.loads(process.stdout.splitlines()[-1])["ray"]
    driver = now.children_user + now.children_system - mine.children_user - mine.children_system
    return {"driver": driver, "ray": spent() - before - told["shard_cpu_secs"], "shards": told["shard_cpu_secs"], "wall": told["wall_secs"]}


def main() -> None:
    os.environ["FORETHOUGHT_COSTS"] = str(os.getpid())
    context = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="warning", object_store_memory=200 * 2**20)
    with tempfile.TemporaryDirectory() as folder:
        run(2, context.address_info["gcs_address"], folder)
        few, many = (run(shards, context.address_info["gcs_address"], folder) for shards in (FEW, MANY))
    for what, words in [
        ("shards", "the shard's own process: start, files, log"),
        ("ray", "Ray's processes: placing, files, results"),
        ("driver", "the driver: keeping, merging"),
        ("wall", "wall clock, two at a time"),
    ]:
        print(f"{1000 * (many[what] - few[what]) / (MANY - FEW):7.1f} ms a shard: {words} (few {few[what]:.2f} s, many {many[what]:.2f} s)")


if __name__ == "__main__":
    main()
