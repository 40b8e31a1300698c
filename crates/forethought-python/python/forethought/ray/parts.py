"""The shards that have ended, kept on disk beside the batch's folder. Read first: `Parts`."""

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from forethought.ray.plan import Plan, differences
from forethought.ray.trouble import Trouble

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None

PLAN, LOCK, MANIFEST = "plan.json", ".lock", "manifest.json"


class Parts:
    """The folder DIR.parts: a folder for each shard that has ended, named by its number, and what they are parts of.

    A shard's folder is whole or not there, whatever ends this process or machine.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out.with_name(out.name + ".parts")
        self.lock = None

    def examine(self, plan: Plan, shards: int | None, resume: bool) -> int | None:
        """The number of shards that the run there has, if there is one to go on with.

        Raises `Trouble` where there is another run, or one that is not to be gone on with.
        """
        kept = self.read(self.path / PLAN)
        for folder in () if resume else (self.out, self.path):
            if holds_results(folder):
                raise Trouble(f"{folder} is not empty: give another --out, or --resume to go on with the run that is there", 2)
        if kept is None:
            if holds_results(self.out):
                raise Trouble(f"{self.out} was not run on Ray: `forethought batch --resume` goes on with it", 2)
            return None
        different = [f"its {what} is {there}, not {here}" for what, there, here in self.changes(plan, shards, kept) if there != here]
        if different:
            remedy = "give another --out, or the same arguments"
            raise Trouble(f"{self.path} holds another run: {'; '.join(different)}; {remedy}", 2)
        return kept["shards"]

    def open(self, plan: Plan, shards: int) -> None:
        """Begin with so many shards, or go on. Raises `Trouble` where another process is at work here."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.take_lock()
        write(self.path / PLAN, json.dumps(plan.identity | {"shards": shards}, indent=2).encode())
        sync_folder(self.path)
        for left in self.path.glob(".*.tmp"):
            shutil.rmtree(left)

    @staticmethod
    def changes(plan: Plan, shards: int | None, kept: dict):
        """What there is to compare of a run that was kept with this one: name, there, here."""
        here = plan.identity
        for what in ("first", "episodes"):
            yield what, kept[what], here[what]
        yield "number of shards", kept["shards"], shards or kept["shards"]
        yield "cells", sorted(kept["cells"]), sorted(here["cells"])
        for folder in kept["cells"].keys() & here["cells"].keys():
            there, wanted = kept["cells"][folder], here["cells"][folder]
            for field in sorted(there.keys() | wanted.keys()):
                yield field.replace("_", " "), there.get(field), wanted.get(field)

    @staticmethod
    def read(path: Path) -> dict | None:
        """A JSON file, where there is one."""
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise Trouble(f"{path} is damaged: {error}; give another --out", 2) from error

    def take_lock(self) -> None:
        """The right to write here, for as long as this process lives."""
        self.lock = (self.path / LOCK).open("a")
        if fcntl is None:
            return
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Trouble(f"another process is at work in {self.path}", 1) from error
        except OSError:
            pass  # Some network file systems have no locks; better to run than to refuse.

    def have(self) -> set[int]:
        """The shards that are there."""
        return {int(path.name) for path in self.path.iterdir() if path.name.isdecimal()}

    def keep(self, shard: int, files: dict[str, bytes], plan: Plan) -> None:
        """Keep a shard's files for good.

        Raises `Trouble` where they are those of another batch or program, or the disk is full.
        """
        manifests = self.check(shard, files, plan)
        logs = {name: content for name, content in files.items() if Path(name).name != MANIFEST}
        temporary = self.path / f".{shard}.tmp"
        try:
            for name, content in logs.items():
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                with (temporary / name).open("wb") as to, gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                    shutil.copyfileobj(packed, to, 1 << 20)
                    to.flush()
                    os.fsync(to.fileno())
            for folder, manifest in manifests.items():
                write(temporary / folder / MANIFEST, json.dumps(manifest, indent=2).encode())
            temporary.rename(self.path / str(shard))
            sync_folder(self.path)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise Trouble(f"cannot keep shard {shard} in {self.path}: {error.strerror}; make room, and go on with --resume") from error

    @staticmethod
    def check(shard: int, files: dict[str, bytes], plan: Plan) -> dict[str, dict]:
        """The manifests of a shard's cells, which must be those of the plan; replayed is from where the plan's files are."""
        kept = {folder: json.loads(gzip.decompress(files[str(Path(folder, MANIFEST))])) for folder in plan.cells}
        for folder, manifest in kept.items():
            call = manifest["calls"][-1]
            if different := differences(plan.said["call"], call, kept, plan):
                raise Trouble(f"node {call['machine']['host']}, which ran shard {shard}, runs something else: {different}", 2)
            manifest["replay"] = plan.cells[folder]["replay"]
        return kept


    def merge(self, resume: bool, as_json: bool) -> tuple[int, list[str]]:
        """Put what is here together in the batch's folder: the exit status, and the lines that tell what came of it."""
        shards = [str(shard) for shard in sorted(self.have())]
        flags = [*(["--resume"] if resume else []), *(["--json"] if as_json else [])]
        # From within the folder, for a command line has room for many short words but not for many paths.
        command = [sys.executable, "-m", "forethought", "merge", str(self.out.absolute()), *shards, *flags]
        process = subprocess.run(command, cwd=self.path, stdout=subprocess.PIPE, text=True, check=False)
        return process.returncode, process.stdout.splitlines()


def holds_results(folder: Path) -> bool:
    """Whether there is more in a folder than a lock."""
    return folder.is_dir() and any(path.name != LOCK for path in folder.iterdir())


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole, and see it reach the disk."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """See a folder's entries reach the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
