#!/usr/bin/env python3
"""Trains two_rooms with each training objective, and without each term of the default, at the same budget, and prints what the
models reach as a Markdown table.

    cargo build --release -p forethought --no-default-features
    python3 crates/forethought/benches/objectives.py

Needs nothing but Python's standard library. Scenarios, models and logs go to target/objectives; a model that is there already
is measured again without training, as long as its scenario is the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WORK = ROOT / "target" / "objectives"
PROGRAM = ROOT / "target" / "release" / "forethought"
SCENARIO = ROOT / "scenarios" / "two_rooms.ron"
UPDATES = 4000
# About twice what a straight crossing takes: where time is short, models differ.
SHORT = 70


@dataclass(frozen=True)
class Variant:
    """A row of the table: what the scenario says of training, besides `updates`."""

    label: str
    training: str
    updates: int = UPDATES

    @property
    def name(self) -> str:
        return "".join(letter if letter.isalnum() else "_" for letter in self.label.lower()).strip("_")


OBJECTIVES = [
    Variant("VICReg (default)", "objective: VicReg()"),
    Variant("VICReg, expander", "objective: VicReg(expander: [64, 64])"),
    Variant("Barlow Twins", "objective: BarlowTwins(weight: 5.0)"),
    Variant("Barlow Twins, expander", "objective: BarlowTwins(weight: 5.0, expander: [64, 64])"),
    Variant("BYOL", "objective: Byol()"),
    Variant("SimSiam", "objective: SimSiam()"),
    Variant("SIGReg", "objective: SigReg()"),
    Variant("InfoNCE", "objective: InfoNce()"),
    Variant("pairwise hinge", "objective: PairwiseHinge()"),
]

ABLATIONS = [
    Variant("without the gradient through the target", "loss: (stop_gradient: true)"),
    Variant("without variance", "objective: VicReg(variance: 0)"),
    Variant("without covariance", "objective: VicReg(covariance: 0)"),
    Variant("without temporal similarity", "loss: (temporal_similarity: 0)"),
    Variant("without inverse dynamics", "loss: (inverse_dynamics: 0)"),
    Variant("without variance and covariance", "objective: VicReg(variance: 0, covariance: 0)"),
    Variant("without training", "", updates=1),
]


def forethought(*arguments: str | Path) -> dict:
    """What the program prints with --json."""
    command = [str(PROGRAM), *map(str, arguments), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def scenario(variant: Variant, max_steps: int | None = None) -> str:
    """The scenario's text with the variant's training."""
    text = SCENARIO.read_text()
    if max_steps is not None:
        assert "max_steps: 200" in text
        text = text.replace("max_steps: 200", f"max_steps: {max_steps}")
    # The models that the scenario names stand beside it, not here: the model is told on the command line.
    text = text.replace("../assets/", str(ROOT / "assets") + "/")
    end = text.rstrip().rindex(")")
    return f"{text[:end]}    training: (updates: {variant.updates}, {variant.training}),\n)\n"


def train(variant: Variant, seed: int, jobs: int) -> tuple[Path, dict]:
    """The model, and what training said of it."""
    file, model = WORK / f"{variant.name}.ron", WORK / f"{variant.name}.{seed}.safetensors"
    kept = model.with_suffix(".json")
    text = scenario(variant)
    if not (file.exists() and file.read_text() == text and kept.exists() and model.exists()):
        file.write_text(text)
        summary = forethought("train", file, "--seed", str(seed), "--jobs", str(jobs), "--out", model)
        kept.write_text(json.dumps(summary))
    return model, json.loads(kept.read_text())


def bench(file: Path, model: Path, options: argparse.Namespace) -> dict:
    """How an agent that plans by gradient fares with this model."""
    arguments = ["--actors", "gradient", "--episodes", str(options.episodes), "--seed", str(options.evaluation_seed)]
    report = forethought("bench", file, "--model", model, "--jobs", str(options.jobs), *arguments)
    return report["results"][0]


def percent(result: dict) -> str:
    """A rate with its interval."""
    low, high = (100 * end for end in result["ci95"])
    return f"{100 * result['success_rate']:.1f}% ({low:.1f} - {high:.1f})"


def row(variant: Variant, options: argparse.Namespace) -> str:
    """Train, measure, and tell."""
    model, summary = train(variant, options.seed, options.jobs)
    short = WORK / f"{variant.name}.short.ron"
    short.write_text(scenario(variant, SHORT))
    long_result, short_result = bench(WORK / f"{variant.name}.ron", model, options), bench(short, model, options)
    steps = long_result["mean_steps"]
    cells = [
        variant.label,
        percent(long_result),
        "-" if steps is None else f"{steps:.0f}",
        percent(short_result),
        f"{summary['latest']['effective_rank']:.1f}",
        f"{summary['latest']['deviation']:.2g}",
        " / ".join(f"{r2:.3f}" for r2 in summary["readout_r2"]),
        f"{summary['train_secs']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def table(variants: list[Variant], first: str, options: argparse.Namespace) -> None:
    """Print a table, row by row as they come."""
    head = ["success", "steps", f"within {SHORT} steps", "effective rank", "deviation", "readout R² (x / y)", "training, s"]
    print(f"\n| {first} | {' | '.join(head)} |\n|---|{'---|' * len(head)}")
    for variant in variants:
        print(row(variant, options), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of training")
    parser.add_argument("--evaluation-seed", type=int, default=1000, help="of the episodes")
    parser.add_argument("--episodes", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="rows whose name contains this")
    parser.add_argument("--try", dest="training", help="one row of your own, for example 'objective: Byol(momentum: 0.9)'")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    if options.training is not None:
        table([Variant(options.training, options.training)], "settings", options)
        return
    for variants, first in [(OBJECTIVES, "objective"), (ABLATIONS, "the default ...")]:
        variants = [variant for variant in variants if (options.only or "").lower() in variant.label.lower()]
        if variants:
            table(variants, first, options)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd)} failed with status {error.returncode}")
