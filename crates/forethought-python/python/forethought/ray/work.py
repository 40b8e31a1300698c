"""What a node does for a batch. Read first: `run_shard`.

This file is sent to the nodes as it is, so that one without the package can say so: it stands on nothing but Python.
"""

import gzip
import io
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# A shard tells how far it is this often.
TELL_EVERY_S = 1.0
# Of what a failed process said, the last lines.
LINES_TOLD = 20


def look(job: dict, files: dict) -> dict:
    """What this node would run: `{"host", "plan"}`, or `{"host", "error"}` where it cannot.

    `job` and `files` are those of `run_shard`.
    """
    host = socket.gethostname()
    with tempfile.TemporaryDirectory(prefix="forethought-") as folder:
        process, (said, errors) = start([*words_of(job, Path(folder), files), "--plan"], Path(folder))
        status = process.wait()
        if status == 0:
            return {"host": host, "plan": json.loads(said.read_text().splitlines()[-1])}
        return {"host": host, "error": f"{ending(status)}:\n{last_lines(errors)}"}


def run_shard(job: dict, files: dict, shard: int, shards: int, counter: object) -> dict:
    """Run one shard of a batch in a process of its own, and return its manifests and logs: `{"host", "secs", "cpu_secs", "files"}`,
    the files compressed, by their paths in the shard's folder.

    `job` tells what: `scenarios` and `model` are paths in `files`, which holds the bytes of each file that the batch reads;
    `options` are further words, `cells` the cells' folders, `cpus` a number. The shard is one of `shards`, from 1. `counter` is an actor that hears how many
    episodes have ended.

    Raises `ChildProcessError`, with what the process said, where it ended before its shard.
    """
    with tempfile.TemporaryDirectory(prefix="forethought-") as folder:
        folder, out = Path(folder), Path(folder) / "out"
        began, spent = time.monotonic(), spent_secs()
        counter.begin.remote(shard)
        words = [*words_of(job, folder, files), "--json", f"--jobs={job['cpus']}", f"--shard={shard}/{shards}", f"--out={out}"]
        process, (said, errors) = start(words, folder)
        logs = [Log(out / (cell or "") / "episodes.jsonl") for cell in job["cells"]]
        try:
            while (status := wait(process, TELL_EVERY_S)) is None:
                counter.report.remote(shard, sum(log.count() for log in logs))
        finally:
            process.kill()
        # Episodes that went wrong are results too.
        if status not in (0, 1) or not is_complete(said):
            raise ChildProcessError(f"shard {shard}/{shards} on {socket.gethostname()} {ending(status)}:\n{last_lines(errors)}")
        return {
            "host": socket.gethostname(),
            "secs": time.monotonic() - began,
            "cpu_secs": spent_secs() - spent,
            "files": {
                str(path.relative_to(out)): packed(path)
                for cell in job["cells"]
                for path in (out / (cell or "") / "manifest.json", out / (cell or "") / "episodes.jsonl")
            },
        }


def words_of(job: dict, folder: Path, files: dict) -> list:
    """The command line of a batch, with its files written down in a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    model = [] if job["model"] is None else [f"--model={folder / job['model']}"]
    return ["batch", *(str(folder / scenario) for scenario in job["scenarios"]), *job["options"], *model]


def start(words: list, folder: Path) -> tuple:
    """Start a process with this command line: it, and the files of what it says on stdout and stderr."""
    said, errors = folder / "stdout", folder / "stderr"
    command = [sys.executable, "-m", "forethought.ray.child", str(os.getpid()), *words]
    with said.open("wb") as stdout, errors.open("wb") as stderr:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr), (said, errors)


def spent_secs() -> float:
    """CPU time of all processes that this one began and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wait(process: subprocess.Popen, secs: float) -> int | None:
    """A process's exit status, or nothing if it has not ended by then."""
    try:
        return process.wait(secs)
    except subprocess.TimeoutExpired:
        return None


def is_complete(said: Path) -> bool:
    """Whether the summary on stdout is of all episodes that were asked for."""
    try:
        summary = json.loads(said.read_text().splitlines()[-1])
        return all(cell["episodes"] == cell["requested"] for cell in summary.get("batches", [summary]))
    except (IndexError, KeyError, ValueError):
        return False


def ending(status: int) -> str:
    """How a process ended, in words."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"


def last_lines(errors: Path) -> str:
    """The end of what a process said."""
    return "\n".join(errors.read_text(errors="replace").splitlines()[-LINES_TOLD:])


def packed(path: Path) -> bytes:
    """A file, compressed without ever being in memory as it is."""
    into = io.BytesIO()
    with path.open("rb") as file, gzip.GzipFile(fileobj=into, mode="wb", compresslevel=3, mtime=0) as to:
        shutil.copyfileobj(file, to, 1 << 20)
    return into.getvalue()


class Log:
    """A growing log of which each line is an episode."""

    def __init__(self, path: Path) -> None:
        self.path, self.read, self.lines = path, 0, 0

    def count(self) -> int:
        """Its lines so far."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                while piece := file.read(1 << 20):
                    self.read += len(piece)
                    self.lines += piece.count(b"\n")
        except FileNotFoundError:
            pass
        return self.lines


class Counter:
    """The actor that knows how far the shards under way are."""

    def __init__(self) -> None:
        self.done, self.starts = {}, 0

    def begin(self, shard: int) -> None:
        """A shard begins, perhaps not for the first time."""
        self.done[shard] = 0
        self.starts += 1

    def begun(self) -> int:
        """How often a shard has begun."""
        return self.starts

    def report(self, shard: int, done: int) -> None:
        """So many episodes of a shard have ended."""
        self.done[shard] = done

    def of(self, shards: list) -> dict:
        """Of these shards those that have begun, and how many of their episodes have ended; nobody asks for others any more."""
        self.done = {shard: self.done[shard] for shard in shards if shard in self.done}
        return self.done
