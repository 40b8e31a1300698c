"""One contender of the peers' side: answers "measure this case for so many seconds" on its standard input.

One JSON object a line, there and back. The first request for a case builds it and warms it up, untimed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, Callable, TextIO

from common import Runnable, measure

# How often, and each time for how long, the ways to write a case are tried before the fastest is kept.
TRIALS = 5
TRIAL_SECONDS = 0.2

Variants = dict[str, Callable[[], Runnable]]


def variants(contender: str, case: str, starts: int, thorough: bool) -> Variants:
    # Imported only where it is asked for: a peer that does not install leaves the others as they are.
    if contender == "jax":
        import peer_jax

        return peer_jax.variants(case, starts, thorough)
    if contender in ("torch-eager", "torch-compile"):
        import peer_torch

        make = peer_torch.eager if contender == "torch-eager" else peer_torch.compiled
        return make(case, starts, thorough)
    import peer_world

    make = {"pymunk": peer_world.pymunk_variants, "box2d": peer_world.box2d_variants}[contender]
    return make(case, starts, thorough)


def set_threads(contender: str, threads: int) -> None:
    # JAX takes its number of threads from the environment that the driver sets.
    if contender.startswith("torch"):
        import torch

        torch.set_num_threads(threads)


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def reason(error: BaseException) -> str:
    """What the user is told: for the usual causes, what to do."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed in this environment"
    if "InvalidCxxCompiler" in str(error) + type(error).__name__:
        return "no C++ compiler was found: install g++ or clang++, or name one in CXX"
    return first_line(error)


def warm(ways: Variants) -> dict[str, Runnable]:
    """Every way that can be built, after its compilation. One that fails matters only if all fail."""
    ready: dict[str, Runnable] = {}
    failure: Exception = ValueError("no way to run this case")
    for name, build in ways.items():
        try:
            runnable = build()
            measure(runnable, 0.0)
            ready[name] = runnable
        except Exception as error:
            print(f"{name}: {first_line(error)}", file=sys.stderr, flush=True)
            failure = error
    if not ready:
        raise failure
    return ready


def fastest(ways: Variants) -> tuple[str, Runnable]:
    """The fastest way to write a case, by its best trial: what else runs here can only make a trial slower."""
    ready = warm(ways)
    if len(ready) == 1:
        return next(iter(ready.items()))
    best = dict.fromkeys(ready, float("inf"))
    for _ in range(TRIALS):
        for name, runnable in ready.items():
            best[name] = min(best[name], measure(runnable, TRIAL_SECONDS)[0])
    print(", ".join(f"{name}: {took:.3e} s" for name, took in best.items()), file=sys.stderr, flush=True)
    chosen = min(best, key=lambda name: best[name])
    return chosen, ready[chosen]


def answer(
    request: dict[str, Any], contender: str, thorough: bool, ready: dict[tuple, tuple]
) -> dict[str, Any]:
    case, starts = request["case"], int(request.get("starts") or 0)
    if (case, starts) not in ready:
        ready[case, starts] = fastest(variants(contender, case, starts, thorough))
    name, runnable = ready[case, starts]
    seconds_per_unit, units = measure(runnable, float(request["seconds"]))
    return {"case": case, "seconds_per_unit": seconds_per_unit, "units": units, "variant": name}


def private_stdout() -> TextIO:
    """Standard output for answers alone: whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--thorough", action="store_true")
    arguments = parser.parse_args()
    answers = private_stdout()
    ready: dict[tuple, tuple] = {}
    threads_set = False
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if not threads_set:
                set_threads(arguments.contender, arguments.threads)
                threads_set = True
            reply = answer(request, arguments.contender, arguments.thorough, ready)
        except Exception as error:
            reply = {"case": request.get("case"), "error": reason(error)}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
