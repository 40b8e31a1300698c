"""From raw rounds to the table in BENCHMARKS.md."""

from __future__ import annotations

import os
import shutil
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"
OURS = "ours"
# Rapier alone with its own ray casts, on the same scene: our executable runs it, without our sandbox.
RAPIER = "rapier"
LABELS = {
    OURS: "Forethought",
    "jax": "JAX jit",
    "torch-eager": "PyTorch eager",
    "torch-compile": "torch.compile",
    RAPIER: "bare rapier2d",
    "pymunk": "pymunk",
    "box2d": "Box2D",
}
UNITS = {
    "planning": "one planning iteration",
    "training": "one update",
    "world": "one step with its rays",
    "episodes": "one episode",
}


@dataclass
class Results:
    """What was measured: one entry of `rounds` for each answer, and why what is missing is missing."""

    settings: dict[str, Any]
    machine: dict[str, Any] = field(default_factory=dict)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    unavailable: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))

    def times(self, threads: int, case: str, contender: str) -> dict[int, float]:
        """Seconds per unit, by round."""
        mine = {"threads": threads, "label": case, "contender": contender}
        return {
            r["round"]: r["seconds_per_unit"] for r in self.rounds if all(r[k] == v for k, v in mine.items())
        }


def three_digits(value: float) -> str:
    value = float(f"{value:.3g}")
    return f"{value:.{2 if value < 10.0 else 1 if value < 100.0 else 0}f}"


def time_text(seconds: float) -> str:
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{three_digits(seconds / scale)} {unit}"
    return f"{three_digits(seconds / 1e-9)} ns"


def cell(peer: dict[int, float], ours: dict[int, float]) -> str:
    if not peer:
        return "-"
    text = time_text(statistics.median(peer.values()))
    ratios = [peer[k] / ours[k] for k in sorted(peer.keys() & ours.keys())]
    if not ratios:
        return text
    low, middle, high = (three_digits(f(ratios)) for f in (min, statistics.median, max))
    return f"{text}, **{middle}x** ({low} - {high})"


def table(results: Results, threads: int, case: str, peers: list[str], labels: list[str]) -> list[str]:
    """One table, or nothing where nothing was measured."""
    contenders = [OURS, *peers]
    measured = [label for label in labels if any(results.times(threads, label, name) for name in contenders)]
    if not measured:
        return []
    head = [f"{case}: {UNITS[case]}", *(LABELS[name] for name in contenders)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for label in measured:
        ours = results.times(threads, label, OURS)
        cells = [time_text(statistics.median(ours.values())) if ours else "-"]
        cells += [cell(results.times(threads, label, name), ours) for name in peers]
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return [*lines, ""]


def peak_text(results: Results, threads: int) -> list[str]:
    """What share of the multiply-adds that the cores can do at most Forethought's planning does."""
    shares: dict[str, list[float]] = {}
    for entry in results.rounds:
        if entry["threads"] == threads and "peak_gflops" in entry:
            shares.setdefault(entry["label"], []).append(entry["gflops"] / entry["peak_gflops"])
    if not shares:
        return []
    text = ", ".join(f"{label}: {100 * statistics.median(values):.0f}%" for label, values in shares.items())
    return [f"Forethought's share of the measured peak of multiply-adds: {text}.", ""]


def threads_text(threads: int) -> str:
    return "1 thread, on one core" if threads == 1 else f"{threads} threads"


def machine_text(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    dirty = ", with changes not committed" if machine["dirty"] else ""
    return (
        f"Measured on {machine['date']} at commit {machine['commit']}{dirty}; {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['system']}; {versions}."
    )


def unavailable_text(results: Results) -> list[str]:
    """Each reason once, with the cases that it holds for."""
    cases: dict[tuple[str, str], list[str]] = {}
    for entry in results.unavailable:
        where = f"{entry['label']} ({threads_text(entry['threads'])})"
        cases.setdefault((entry["contender"], entry["reason"]), []).append(where)
    lines = [f"- {LABELS[name]}: {'; '.join(where)}: `{reason}`" for (name, reason), where in cases.items()]
    return ["Not available:", "", *lines, ""] if lines else []


def render(results: Results, cases: dict[str, tuple[list[str], list[str]]]) -> str:
    """The text between the markers; `cases` gives for each case its peers and its rows."""
    settings = results.settings
    lines = [
        machine_text(results.machine),
        "",
        f"Times are medians over {settings['rounds']} rounds of {settings['seconds']:g} s each, taken in turn. "
        "In bold how many times Forethought's time a peer takes, the median over rounds (lowest - highest).",
        "",
    ]
    for threads in settings["threads"]:
        tables = [
            line
            for case, (peers, labels) in cases.items()
            for line in table(results, threads, case, peers, labels)
        ]
        if tables:
            title = threads_text(threads)
            lines += [f"### {title[0].upper()}{title[1:]}", "", *tables, *peak_text(results, threads)]
    return "\n".join(lines + unavailable_text(results)).rstrip() + "\n"


def read(out: Path) -> str:
    """With the ends of its lines as they are."""
    if not out.exists():
        return "# Benchmarks\n"
    with out.open(encoding="utf-8", newline="") as file:
        return file.read()


def spliced(out: Path, text: str) -> str:
    """The file with `text` between the markers and the rest as it is."""
    block = f"{BEGIN}\n{text}{END}"
    old = read(out)
    begin, end = old.find(BEGIN), old.find(END)
    if begin < 0 and end < 0:
        return f"{old.rstrip()}\n\n## Peers\n\n{block}\n"
    if old.count(BEGIN) != 1 or old.count(END) != 1 or end < begin:
        raise ValueError(f"{out}: {BEGIN} and {END} do not appear once each, in this order")
    return old[:begin] + block + old[end + len(END) :]


def write(out: Path, text: str) -> None:
    """By way of a file beside it: whatever happens, the file is the old one or the new one."""
    out = out.resolve()
    beside = out.with_name(f"{out.name}.writing")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.write(spliced(out, text))
        if out.exists():
            shutil.copymode(out, beside)
        os.replace(beside, out)
    finally:
        beside.unlink(missing_ok=True)
