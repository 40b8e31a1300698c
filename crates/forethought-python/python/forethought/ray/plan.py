"""What a batch is, before it runs: which files it reads, what its manifests will say. Read first: `Plan`."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from forethought.ray.trouble import Trouble

# Not more episodes of a cell than these in a shard: what a node sends back, and what is lost with it, stays small.
MOST_EPISODES = 2000
# Shards for each that can run at once: enough that the last ones end at nearly the same time.
ROUNDS = 4
# Where a node puts files that travel.
FILES = "files"


@dataclass
class Plan:
    """What `forethought batch --plan` says of a command line."""

    said: dict

    @classmethod
    def of(cls, words: list[str], as_json: bool) -> "Plan":
        """The plan of these words of `forethought batch`. Whatever is wrong with them is told as it tells it."""
        command = [sys.executable, "-m", "forethought", "batch", *words, "--plan", *(["--json"] if as_json else [])]
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if process.returncode != 0:
            print(process.stdout, end="", flush=True)
            raise Trouble("", process.returncode if process.returncode > 0 else 1)
        return cls(json.loads(process.stdout.splitlines()[-1]))

    @property
    def cells(self) -> dict[str, dict]:
        """The cells by their folders; that of the only one is the batch's own, without a name."""
        return {cell["folder"] or "": cell for cell in self.said["cells"]}

    @property
    def label(self) -> str:
        """What it is, for people."""
        first, *others = self.said["cells"]
        return f"{len(others) + 1} cells" if others else first["manifest"]["scenario"]

    @property
    def identity(self) -> dict:
        """What must be the same for two runs to be one."""
        manifests = {folder: cell["manifest"] for folder, cell in self.cells.items()}
        return {"first": self.said["first"], "episodes": self.said["episodes"], "cells": manifests}

    def shards(self, at_once: int) -> int:
        """How many shards suit a cluster that runs so many at once."""
        episodes = self.said["episodes"]
        return min(episodes, max(-(-episodes // MOST_EPISODES), ROUNDS * at_once))

    def share(self, shard: int, shards: int) -> int:
        """How many episodes are in a shard, over all cells. As `Shard::has` has it, the cells begin with different shards."""
        first, episodes = self.said["first"], self.said["episodes"]
        begins = ((shard - 1 - cell - first) % shards for cell in range(len(self.said["cells"])))
        return sum(max(0, -(-(episodes - begin) // shards)) for begin in begins)

    def job(self, cpus: int) -> dict:
        """What `work.run_shard` needs to know."""
        model = self.said["model"]
        return {
            "scenarios": [there(scenario) for scenario in self.said["scenarios"]],
            "model": None if model is None else there(model),
            "options": self.said["options"],
            "cells": [cell["folder"] for cell in self.said["cells"]],
            "cpus": cpus,
        }

    def files(self) -> dict[str, bytes]:
        """The bytes of all files that it reads, by where nodes put them."""
        paths = set(self.said["scenarios"])
        for cell in self.said["cells"]:
            for model in cell["models"]:
                # A scenario that names its model by a whole path finds it there on every node, or nowhere.
                beside = self.said["model"] == model or not os.path.isabs(model) or is_below(model, cell["file"])
                if not beside:
                    print(f"{cell['file']} names its model by a whole path: {model} must be there on all nodes", file=sys.stderr)
                paths |= {model} if beside else set()
        return {there(path): Path(path).read_bytes() for path in sorted(paths)}


def there(path: str) -> str:
    """Where nodes put a file: the folders between files stay what they are, for scenarios name their models from where they are."""
    whole = Path(os.path.abspath(path))
    return str(Path(FILES, *whole.parts[1:]))


def is_below(model: str, scenario: str) -> bool:
    """Whether a model's path goes on from the folder of the scenario that names it."""
    return model.startswith(str(Path(scenario).parent) + os.sep)


def differences(here: dict, call: dict, manifests: dict[str, dict], expected: Plan) -> str:
    """What differs of what a node runs, or has run, from the plan, in words; nothing where it is the same.

    `call` and `manifests` are the node's, the manifests by their cells' folders.
    """
    found = []

    def compare(what: str, there: object, wanted: object) -> None:
        if there != wanted:
            found.append(f"its {what} is {there}, not {wanted}")

    for folder, cell in expected.cells.items():
        manifest = manifests.get(folder, {})
        for field, wanted in cell["manifest"].items():
            compare(f"{field.replace('_', ' ')}{f' of {folder}' if folder else ''}", manifest.get(field), wanted)
    for field in ("git_commit", "program_hash"):
        compare(field.replace("_", " "), call[field], here[field])
    for library in sorted(here["libraries"].keys() | call["libraries"].keys()):
        compare(library, call["libraries"].get(library), here["libraries"].get(library))
    return "; ".join(dict.fromkeys(found))


def doubts(here: dict, call: dict) -> str:
    """What may give other numbers on another machine, in words."""
    pairs = [(field, call["machine"][field], here["machine"][field]) for field in ("processor", "vectors", "system")]
    return "; ".join(f"its {field} is {there}, not {wanted}" for field, there, wanted in pairs if there != wanted)
