"""Batches on Ray come to the digest of one machine, whatever happens to nodes, processes and the driver.

    pip install 'forethought[ray]' pytest && pytest tests/python/test_ray.py

A cluster of several nodes on this machine, each with its own raylet. Every test says what it kills.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("forethought", reason="the package forethought is not installed")
pytest.importorskip("ray", reason="Ray is not installed: pip install 'forethought[ray]'")
pytest.importorskip("tqdm", reason="tqdm is not installed: pip install 'forethought[ray]'")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it finds the processes to kill in /proc")

from ray.cluster_utils import Cluster

import forethought

BATCH = ["two_rooms", "--mode", "mode-1", "--episodes", "2000", "--seed", "1000"]
# Objects are small here, and so are the machines that run tests.
STORE = {"object_store_memory": 80 * 2**20}
PATIENCE_S = 300


@pytest.fixture(scope="module")
def cluster():
    """A head that runs nothing, and two nodes of one CPU."""
    head = {"num_cpus": 0, "include_dashboard": False} | STORE
    cluster = Cluster(initialize_head=True, connect=False, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1, **STORE)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same batch on one machine: its folder."""
    out = tmp_path_factory.mktemp("whole") / "out"
    command(["forethought", "batch", *BATCH, "--jobs", "1", "--out", str(out)])
    return out


def command(words, status=0, **settings):
    """Run `python -m ...`: its last line as JSON, and what it said on stderr."""
    process = subprocess.run([sys.executable, "-m", *words, "--json"], check=False, capture_output=True, text=True, timeout=PATIENCE_S, **settings)
    assert process.returncode == status, process.stderr
    return json.loads(process.stdout.splitlines()[-1]) if process.stdout else None, process.stderr


def on_ray(cluster, out, *words):
    """The words of a batch on this cluster."""
    return ["forethought.ray", "batch", *(words or BATCH), "--address", cluster.address, "--out", str(out)]


def begin(words):
    """Start `python -m ...` as the leader of a group of its own, as a shell does."""
    return subprocess.Popen(
        [sys.executable, "-m", *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(condition, process):
    """Wait until something holds while a process runs."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def parts(out):
    """The shards that are kept."""
    folder = out.with_name(out.name + ".parts")
    return sorted(int(path.name) for path in folder.glob("[0-9]*"))


def digest(folder):
    return json.loads((folder / "summary.json").read_text())["digest"]


def manifest(folder):
    """What a manifest says of the batch, but for the calls that ran it."""
    kept = json.loads((folder / "manifest.json").read_text())
    return {field: value for field, value in kept.items() if field != "calls"}


def processes(word):
    """The processes whose command line holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(path.parent.name))
    return found


def test_the_digest_is_that_of_one_machine(cluster, whole, tmp_path):
    out = tmp_path / "out"
    summary, _ = command(on_ray(cluster, out) + ["--shards", "16"])
    assert summary["digest"] == digest(whole) == digest(out)
    assert summary["episodes"] == 2000 and summary["ray"]["shards"] == summary["ray"]["shard_starts"] == 16
    assert manifest(out) == manifest(whole), "the hashes of scenario and model, and the command that replays an episode"
    assert {path.name for path in out.iterdir()} == {path.name for path in whole.iterdir()}
    # Once more there is nothing left to run, and the number of shards is known.
    again, _ = command(on_ray(cluster, out) + ["--resume"])
    assert again["digest"] == summary["digest"] and again["ray"]["shard_starts"] == 0


def test_a_node_is_killed_in_the_middle(cluster, whole, tmp_path):
    doomed = cluster.add_node(num_cpus=1, **STORE)
    out = tmp_path / "out"
    process = begin(on_ray(cluster, out) + ["--shards", "40"])
    # Three nodes are at work, and most of it is still to come.
    wait_for(lambda: len(parts(out)) >= 6, process)
    cluster.remove_node(doomed, allow_graceful=False)
    at_kill = len(parts(out))
    said, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    summary = json.loads(said.splitlines()[-1])
    assert summary["digest"] == digest(whole)
    assert at_kill < 30 and "is lost; Ray runs its shards elsewhere" in errors
    assert summary["ray"]["shard_starts"] > 40, "the shard that the node had under way ran again"
    print(f"killed with {at_kill} of 40 shards kept; {summary['ray']}")


def test_ctrl_c_keeps_shards_and_resume_runs_the_others(cluster, whole, tmp_path):
    out = tmp_path / "out"
    process = begin(on_ray(cluster, out) + ["--shards", "40"])
    wait_for(lambda: len(parts(out)) >= 3, process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1 and "go on with --resume" in errors
    kept = len(parts(out))
    assert 3 <= kept < 40
    refused, _ = command(on_ray(cluster, out), status=2)
    assert "is not empty" in refused["error"]
    other, _ = command(on_ray(cluster, out, *BATCH[:-1], "1001") + ["--resume"], status=2)
    assert "its seed is 1000, not 1001" in other["error"]
    summary, _ = command(on_ray(cluster, out) + ["--resume"])
    assert summary["digest"] == digest(whole)
    assert summary["ray"]["shards_resumed"] == kept and summary["ray"]["shard_starts"] == 40 - kept


def test_the_driver_is_killed_and_resumed(cluster, whole, tmp_path):
    out = tmp_path / "out"
    process = begin(on_ray(cluster, out) + ["--shards", "40"])
    wait_for(lambda: len(parts(out)) >= 3, process)
    process.kill()
    process.communicate()
    kept = len(parts(out))
    summary, _ = command(on_ray(cluster, out) + ["--resume"])
    assert summary["digest"] == digest(whole) and summary["ray"]["shards_resumed"] == kept


def test_a_shard_that_fails_again_and_again_is_told_and_the_others_kept(cluster, whole, tmp_path):
    out = tmp_path / "out"
    done, killed = threading.Event(), []

    def kill():
        while not done.is_set():
            for number in processes("--shard=3/8"):
                # The shard's own process, as a system that is out of memory does.
                os.kill(number, signal.SIGKILL)
                killed.append(number)
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        summary, errors = command(on_ray(cluster, out) + ["--shards", "8", "--retries", "2"], status=1)
    finally:
        done.set()
        killer.join()
    assert len(set(killed)) == 3, "once, and two retries"
    assert parts(out) == [1, 2, 4, 5, 6, 7, 8] and summary["episodes"] == 1750
    assert "was killed by signal 9" in summary["ray"]["shards_failed"]["3"] and "shard 3/8 failed for good" in errors
    summary, _ = command(on_ray(cluster, out) + ["--resume"])
    assert summary["digest"] == digest(whole) and summary["ray"]["shards_failed"] == {}


def test_files_of_ones_own_travel_along(cluster, tmp_path):
    package = Path(forethought.__file__).parent
    home, elsewhere = tmp_path / "mine" / "worlds", tmp_path / "elsewhere"
    home.mkdir(parents=True)
    (tmp_path / "mine" / "assets").mkdir()
    elsewhere.mkdir()
    shutil.copy(package / "assets" / "two_rooms.safetensors", tmp_path / "mine" / "assets")
    shutil.copy(package / "assets" / "two_rooms.safetensors", elsewhere / "other.safetensors")
    text = (package / "scenarios" / "two_rooms.ron").read_text()
    (home / "hurried.ron").write_text(text.replace('name: "two_rooms"', 'name: "hurried"').replace("max_steps: 200", "max_steps: 70"))
    sweep = '(scenarios: ["hurried.ron", "two_rooms"], seeds: [1, 2], episodes: 20, sets: [(path: "episode.max_steps", values: [50])])'
    (home / "sweep.ron").write_text(sweep)
    for words, cells in [
        (["worlds/hurried.ron", "--model", "../elsewhere/other.safetensors", "--episodes", "30", "--mode", "mode-1"], 1),
        (["--sweep", "worlds/sweep.ron", "--mode", "mode-1"], 4),
    ]:
        one, many = tmp_path / f"one_{cells}", tmp_path / f"many_{cells}"
        expected, _ = command(["forethought", "batch", *words, "--jobs", "1", "--out", str(one)], cwd=tmp_path / "mine")
        summary, _ = command(on_ray(cluster, many, *words) + ["--shards", "3"], cwd=tmp_path / "mine")
        summary.pop("ray")
        for here, there in zip(expected.get("batches", [expected]), summary.get("batches", [summary]), strict=True):
            assert here["digest"] == there["digest"] and here["scenario"] == there["scenario"]
        folders = [path.parent.relative_to(one) for path in one.rglob("manifest.json")]
        assert len(folders) == cells
        for folder in folders:
            assert manifest(one / folder) == manifest(many / folder)


def test_a_node_with_another_program_is_refused(cluster, tmp_path):
    package = Path(forethought.__file__).parent
    other = tmp_path / "site" / "forethought"
    shutil.copytree(package, other, ignore=shutil.ignore_patterns("__pycache__"))
    library = next(other.glob("_native*.so"))
    with library.open("ab") as file:
        file.write(b"another build")
    node = cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(other.parent)}, **STORE)
    try:
        refused, _ = command(on_ray(cluster, tmp_path / "out"), status=2)
        assert "runs something else: its program hash is" in refused["error"]
    finally:
        cluster.remove_node(node)


def test_bad_input_is_told_as_by_the_program(cluster, tmp_path):
    for words, expected in [
        (["no_rooms"], "there is no scenario `no_rooms`"),
        (["two_rooms", "--learn"], "cannot be run in parts"),
        (["two_rooms", "--shard", "1/2"], "leave out --shard"),
        (["two_rooms", "--episodes", "3", "--shards", "4"], "there are only 3 episodes"),
    ]:
        refused, _ = command(on_ray(cluster, tmp_path / "out", *words), status=2)
        assert expected in refused["error"]
    assert not any(tmp_path.iterdir())
