#!/usr/bin/env python3
"""Measures Forethought beside its peers on this machine and writes the table to BENCHMARKS.md.

Needs nothing but Python's standard library; the peers go into a virtual environment. See README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import install
import report
from install import say
from report import LABELS, OURS, RAPIER, Results

OURS_BUILD = "cargo bench -p forethought --no-default-features --bench peers --no-run --message-format=json".split()
OURS_TARGET = "peers"

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
WORK = ROOT / "target" / "peers"
PEERS = {
    "planning": ["jax", "torch-eager", "torch-compile"],
    "training": ["jax", "torch-eager", "torch-compile"],
    "world": ["rapier", "pymunk", "box2d"],
    "episodes": [],
}
STARTS = [1, 16, 64, 256]
# The first answer to a case includes building and compiling it.
WARM_UP_LIMIT = 1800.0
# How much longer than asked an answer may take: some contenders do at least three blocks of work.
SLACK = 120.0
# How long a contender that has closed its output may take to end by itself, so that its status is known.
LAST_BREATH = 2.0
# Idle threads of the contender before spin for a little; let them go to sleep.
PAUSE = 0.1


EXAMPLES = """examples:
  python3 crates/forethought/benches/peers/compare.py
      everything, into BENCHMARKS.md
  python3 crates/forethought/benches/peers/compare.py --cases world --rounds 3 --seconds 0.2 --threads 1 --out world.md
      the world alone and quickly, into a file of its own
  python3 crates/forethought/benches/peers/compare.py --check
      whether the peers compute the same
"""


class Failure(Exception):
    """What the user is told, without a traceback."""


@dataclass(frozen=True)
class Case:
    name: str
    starts: int | None = None

    @property
    def label(self) -> str:
        if self.starts is None:
            return self.name
        return f"{self.name}, {self.starts} start{'s' if self.starts > 1 else ''}"

    @property
    def one_thread_only(self) -> bool:
        """A world steps on one thread, here and in the peers."""
        return self.name == "world"

    def request(self, seconds: float, threads: int) -> dict[str, Any]:
        starts = {} if self.starts is None else {"starts": self.starts}
        return {"case": self.name, **starts, "seconds": seconds, "threads": threads}


def all_cases(names: list[str]) -> list[Case]:
    return [Case(name, starts) for name in names for starts in (STARTS if name == "planning" else [None])]


class Worker:
    """A contender's process. It waits on its standard input, so only the one that was asked works."""

    def __init__(self, contender: str, command: list[str], threads: int) -> None:
        self.contender = contender
        self.log = WORK / "logs" / f"{contender}-{threads}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pending = b""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                env=environment(threads),
                cwd=ROOT,
                # A group of its own: Ctrl-C comes to the driver, which ends the group, compilers included.
                start_new_session=True,
                preexec_fn=pin_to_one_cpu if threads == 1 else None,
            )

    def ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        """One answer, `{"error": ...}` where there is none."""
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            line = self.read_line(time.monotonic() + limit)
        except BrokenPipeError:
            line = b""
        if line is None:
            self.close()
            return {"error": f"no answer within {limit:.0f} s"}
        if not line:
            self.let_end()
            return {"error": f"ended with {status_text(self.process.returncode)}: {self.last_words()}"}
        reply = parse(line)
        if "error" in reply and "case" not in reply:
            # It does not keep to the protocol: what it says next may be the answer to something else.
            self.close()
        return reply

    def read_line(self, deadline: float) -> bytes | None:
        """One line, empty at the end of the stream, `None` after the deadline."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.pending:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
                received = os.read(self.process.stdout.fileno(), 65536)
                if not received:
                    return b""
                self.pending += received
        line, _, self.pending = self.pending.partition(b"\n")
        return line

    def let_end(self) -> None:
        try:
            self.process.wait(LAST_BREATH)
        except subprocess.TimeoutExpired:
            pass
        self.close()

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")

    def close(self) -> None:
        if self.process.stdout.closed:
            return
        try:
            # Its compilers too, even where it has ended itself.
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()


def status_text(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def parse(line: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(line)
    except ValueError:
        return {"error": f"not JSON: {line[:200]!r}"}
    if not isinstance(reply, dict):
        return {"error": f"not a JSON object: {line[:200]!r}"}
    seconds = reply.get("seconds_per_unit")
    good = (
        isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0.0 < seconds < float("inf")
    )
    if "error" not in reply and not good:
        return {"error": f"no positive seconds_per_unit: {line[:200]!r}"}
    return reply


def cpus() -> list[int]:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def pin_to_one_cpu() -> None:
    if hasattr(os, "sched_setaffinity"):
        # The last one: the first is where systems tend to do their own work.
        os.sched_setaffinity(0, {cpus()[-1]})


def environment(threads: int) -> dict[str, str]:
    count = str(threads)
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"]
    values = {
        **os.environ,
        **{name: count for name in names},
        # No accelerator on either side.
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Compiled kernels have their number of threads built in, so each number has a cache of its own.
        "TORCHINDUCTOR_CACHE_DIR": str(WORK / "inductor" / count),
        # Without a pool of compilers, which would go on idling beside the measurements.
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
    values.pop("XLA_FLAGS", None)
    if threads == 1:
        values["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return values


def build_ours() -> Path:
    """Build our side, and find its executable in what cargo says."""
    say("building " + " ".join(OURS_BUILD))
    try:
        built = subprocess.run(OURS_BUILD, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError as error:
        raise Failure("cargo is not installed: see https://rustup.rs") from error
    if built.returncode != 0:
        raise Failure(f"`{' '.join(OURS_BUILD)}` failed with status {built.returncode}")
    for line in reversed(built.stdout.splitlines()):
        message = json.loads(line) if line.startswith("{") else {}
        artifact = message.get("reason") == "compiler-artifact" and message.get("executable")
        if artifact and message["target"]["name"] == OURS_TARGET:
            return Path(message["executable"])
    raise Failure(f"cargo built no executable for the target `{OURS_TARGET}`")


def command_for(contender: str, ours: Path, python: Path, threads: int, thorough: bool) -> list[str]:
    if contender in (OURS, RAPIER):
        return [str(ours), "--serve", str(threads)]
    command = [str(python), str(HERE / "worker.py"), "--contender", contender, "--threads", str(threads)]
    return [*command, "--thorough"] if thorough else command


class Measurement:
    """All rounds of all cases, for one number of threads after the other."""

    def __init__(self, arguments: argparse.Namespace, ours: Path, python: Path, results: Results) -> None:
        self.arguments, self.ours, self.python, self.results = arguments, ours, python, results
        self.workers: dict[str, Worker] = {}

    def run(self) -> None:
        counts = self.arguments.threads
        for threads in counts:
            try:
                for case in all_cases(self.arguments.cases):
                    if not case.one_thread_only or threads == (1 if 1 in counts else counts[0]):
                        self.run_case(case, threads)
            finally:
                self.close()

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()
        self.workers.clear()

    def worker(self, contender: str, threads: int) -> Worker:
        worker = self.workers.get(contender)
        if worker is None or worker.process.returncode is not None:
            command = command_for(contender, self.ours, self.python, threads, self.arguments.thorough)
            worker = self.workers[contender] = Worker(contender, command, threads)
        return worker

    def run_case(self, case: Case, threads: int) -> None:
        say(f"{case.label}, {report.threads_text(threads)}")
        contenders = [name for name in [OURS, *PEERS[case.name]] if self.warm_up(name, case, threads)]
        for number in range(self.arguments.rounds):
            # Each round begins with another contender, so that none always follows the same one.
            turn = number % max(1, len(contenders))
            for name in contenders[turn:] + contenders[:turn]:
                reply = self.ask(name, case, self.arguments.seconds, threads, SLACK)
                if reply is None:
                    contenders = [other for other in contenders if other != name]
                    continue
                self.record(name, case, threads, number, reply)
        self.summarise(case, threads, contenders)

    def warm_up(self, contender: str, case: Case, threads: int) -> bool:
        begin = time.monotonic()
        reply = self.ask(contender, case, min(0.05, self.arguments.seconds), threads, WARM_UP_LIMIT)
        if reply is not None:
            variant = f", {reply['variant']}" if "variant" in reply else ""
            say(f"  {LABELS[contender]}: warm after {time.monotonic() - begin:.1f} s{variant}")
        return reply is not None

    def ask(
        self, contender: str, case: Case, seconds: float, threads: int, limit: float
    ) -> dict[str, Any] | None:
        time.sleep(PAUSE)
        try:
            request = case.request(seconds, threads)
            if contender == RAPIER:
                request["case"] = RAPIER
            reply = self.worker(contender, threads).ask(request, seconds + limit)
        except OSError as error:
            reply = {"error": str(error)}
        if "error" not in reply:
            return reply
        reason = str(reply["error"])
        if contender == OURS:
            raise Failure(self.ours_failed(case, threads, reason))
        say(f"  {LABELS[contender]}: not available: {reason}")
        entry = {"threads": threads, "label": case.label, "contender": contender, "reason": reason}
        self.results.unavailable.append(entry)
        return None

    def ours_failed(self, case: Case, threads: int, reason: str) -> str:
        """Without our side there is nothing to compare."""
        return (
            f"Forethought's own side cannot be measured ({case.label}, {report.threads_text(threads)}): "
            f"{self.ours}: {reason}\nWhat it wrote is in {WORK / 'logs'}; {self.arguments.out} is left as it was."
        )

    def record(self, contender: str, case: Case, threads: int, number: int, reply: dict[str, Any]) -> None:
        entry = {
            "threads": threads,
            "case": case.name,
            "starts": case.starts,
            "label": case.label,
            "round": number,
            "contender": contender,
            "seconds_per_unit": float(reply["seconds_per_unit"]),
        }
        entry.update({key: reply[key] for key in ("units", "variant", "gflops", "peak_gflops") if key in reply})
        self.results.rounds.append(entry)

    def summarise(self, case: Case, threads: int, contenders: list[str]) -> None:
        ours = self.results.times(threads, case.label, OURS)
        for name in contenders:
            times = self.results.times(threads, case.label, name)
            text = report.cell(times, {} if name == OURS else ours).replace("*", "")
            say(f"  {LABELS[name]}: {text}")


def output_of(command: list[str]) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return (
        output_of(["sysctl", "-n", "machdep.cpu.brand_string"]) or platform.processor() or platform.machine()
    )


def machine(venv: Path, out: Path) -> dict[str, Any]:
    rustc = output_of(["rustc", "--version"]).split()
    # The table itself does not count as a change.
    table = [f":(exclude){out.relative_to(ROOT)}"] if out.is_relative_to(ROOT) else []
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "commit": output_of(["git", "rev-parse", "--short", "HEAD"]) or "unknown",
        "dirty": bool(output_of(["git", "status", "--porcelain", "--", ".", *table])),
        "cpu": cpu_model(),
        "cores": len(cpus()),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"rustc": rustc[1] if len(rustc) > 1 else "unknown", **install.versions(venv)},
    }


def case_names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in PEERS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(PEERS)}")
    return [name for name in PEERS if name in names]


def thread_counts(text: str) -> list[int]:
    try:
        counts = [len(cpus()) if part.strip() == "all" else int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: numbers and `all`, with commas between them") from None
    if min(counts) < 1 or max(counts) > len(cpus()):
        raise argparse.ArgumentTypeError(f"{text}: between 1 and {len(cpus())}")
    return list(dict.fromkeys(counts))


def positive(kind: type) -> Any:
    def convert(text: str) -> Any:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text}: more than 0")
        return value

    convert.__name__ = kind.__name__
    return convert


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--cases",
        type=case_names,
        default=list(PEERS),
        help=f"which of {','.join(PEERS)}; the table has only those",
    )
    add("--rounds", type=positive(int), default=7, help="rounds of each case (default 7)")
    add(
        "--seconds",
        type=positive(float),
        default=0.5,
        help="seconds of each contender in each round (default 0.5)",
    )
    add(
        "--threads",
        type=thread_counts,
        default=thread_counts("1,all"),
        help="numbers of threads (default 1,all)",
    )
    add(
        "--thorough",
        action="store_true",
        help="let torch.compile try its autotuning too: minutes more of warm-up",
    )
    add(
        "--out",
        type=Path,
        default=ROOT / "BENCHMARKS.md",
        help="where the table goes (default BENCHMARKS.md)",
    )
    add("--json", type=Path, help="where the raw rounds go")
    add("--ours", type=Path, help="an executable to take for our side instead of building it")
    add(
        "--venv", type=Path, default=WORK / "venv", help="the virtual environment (default target/peers/venv)"
    )
    add("--skip-install", action="store_true", help="take the virtual environment as it is")
    add("--check", action="store_true", help="compare the peers' results instead of their times")
    arguments = parser.parse_args()
    for name in ("out", "json", "ours", "venv"):
        path = getattr(arguments, name)
        setattr(arguments, name, path and path.absolute())
    return arguments


def check(python: Path) -> int:
    # In a session of its own, so that Ctrl-C comes to this process alone, which ends it.
    command = [str(python), str(HERE / "check.py")]
    return subprocess.run(command, env=environment(1), cwd=ROOT, start_new_session=True).returncode


def write_json(path: Path | None, results: Results) -> None:
    if path is not None:
        path.write_text(json.dumps(results.as_json(), indent=1) + "\n", encoding="utf-8")
        say(f"wrote {path}")


def check_outputs(arguments: argparse.Namespace) -> None:
    """Before minutes of measuring rather than after."""
    for path in filter(None, (arguments.out, arguments.json)):
        if not path.parent.is_dir():
            raise Failure(f"{path.parent} is no folder")
        if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            raise Failure(f"{path} cannot be written")
    report.spliced(arguments.out, "")


def measure(arguments: argparse.Namespace, python: Path) -> None:
    ours = arguments.ours or build_ours()
    if not os.access(ours, os.X_OK):
        raise Failure(f"{ours} cannot be run")
    settings = {
        name: getattr(arguments, name) for name in ("cases", "rounds", "seconds", "threads", "thorough")
    }
    results = Results(settings, machine(arguments.venv, arguments.out))
    measurement = Measurement(arguments, ours, python, results)
    try:
        measurement.run()
        results.complete = True
    finally:
        measurement.close()
        write_json(arguments.json, results)
    rows = {name: (PEERS[name], [case.label for case in all_cases([name])]) for name in arguments.cases}
    text = report.render(results, rows)
    try:
        report.write(arguments.out, text)
    except (OSError, ValueError) as error:
        # Not to lose what took minutes.
        print(text, flush=True)
        raise Failure(f"{arguments.out} could not be written, the table is above: {error}") from error
    say(f"wrote {arguments.out}")


def interrupt(*_: object) -> None:
    # Once is enough: a second one must not disturb the clearing up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    arguments = parse_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        check_outputs(arguments)
        if not arguments.skip_install:
            install.install(arguments.venv)
        python = install.python_of(arguments.venv)
        if not python.is_file():
            raise Failure(f"{python} does not exist: run without --skip-install")
        if arguments.check:
            return check(python)
        measure(arguments, python)
    except (Failure, OSError, ValueError, subprocess.CalledProcessError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: the table is left as it was")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
