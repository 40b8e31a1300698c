"""The command line: `python -m forethought.ray batch SCENARIO...`. Read first: `main`."""

import argparse
import json
import os
import sys
from pathlib import Path

from forethought.ray.trouble import Trouble

EXAMPLES = """\
all options of `forethought batch` are taken too, but for --shard and --learn: --episodes, --seed, --actor, --mode, --set,
--sweep, --seeds, ... (see `python -m forethought batch --help`).

examples:
  python -m forethought.ray batch two_rooms --episodes 100000 --seed 1 --out runs/100k
  python -m forethought.ray batch two_rooms --episodes 100000 --seed 1 --out runs/100k --resume
  python -m forethought.ray batch my.ron --model my.safetensors --episodes 2000 --out runs/mine --address ray://head:10001
  python -m forethought.ray batch --sweep sweep.ron --out runs/sweep --address local --shards 64 --cpus-per-shard 2 --json

Every node needs the same version of forethought, or gets it by
  --runtime-env '{"pip": ["forethought[ray]"]}'
Scenario files and models travel along. Shards that have ended are kept in DIR.parts, which may be removed once DIR is complete.
A cluster at ray:// that asks for a token wants RAY_AUTH_MODE=token in the environment.

A node that is lost takes the shards with it that it was running; Ray runs them elsewhere. Ctrl-C ends the batch after the shards
under way; --resume goes on. A shard that fails again and again is told with its output and does not stop the others.
Exit status: 0 done, 1 failed while running or not complete, 2 the input was bad."""


def parser() -> argparse.ArgumentParser:
    """What is understood here; all other words are for `forethought batch`."""
    whole = argparse.ArgumentParser(
        prog="python -m forethought.ray", description="Run a batch on a Ray cluster, with the results of one machine."
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="batch")
    batch = commands.add_parser(
        "batch",
        help="run many episodes over all nodes",
        description="Run many episodes over all nodes of a Ray cluster, with the results of one machine.",
        usage="python -m forethought.ray batch SCENARIO... --out DIR [options]",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    batch.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="a new or empty folder for results, as `forethought batch` leaves them"
    )
    batch.add_argument("--resume", action="store_true", help="go on with the run in --out: only shards that are missing are run")
    batch.add_argument(
        "--address",
        metavar="WHERE",
        help="the cluster: `auto` for the one that this machine belongs to, HOST:PORT, ray://HOST:PORT for one elsewhere, `local` "
        "for one of this machine alone [default: $RAY_ADDRESS, or `auto` where there is one, or `local`]",
    )
    batch.add_argument(
        "--shards", type=positive, metavar="N", help="how many parts [default: four for each that can run at once, of 2,000 episodes at most]"
    )
    batch.add_argument(
        "--cpus-per-shard",
        "--jobs",
        "-j",
        type=positive,
        default=1,
        metavar="K",
        help="CPUs that Ray sets aside for a shard, and its worker threads [default: 1]",
    )
    batch.add_argument(
        "--retries", type=natural, default=3, metavar="N", help="how often a shard is run again that failed or lost its node [default: 3]"
    )
    batch.add_argument(
        "--runtime-env", type=runtime_env, metavar="JSON", help="what nodes need first, in Ray's words: JSON, or a file of it"
    )
    batch.add_argument("--json", action="store_true", help="end with one JSON object as the last line on stdout")
    batch.add_argument("--shard", help=argparse.SUPPRESS)
    return whole


def natural(text: str) -> int:
    """A number from 0."""
    if (number := int(text)) < 0:
        raise ValueError
    return number


def positive(text: str) -> int:
    """A number from 1."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def runtime_env(text: str) -> dict:
    """A runtime environment of Ray."""
    try:
        value = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{error}; write JSON such as {{\"pip\": [\"forethought[ray]\"]}}, or a file of it") from error
    return value


def main() -> int:
    """Do what the command line says and return the exit status."""
    options, words = parser().parse_known_args()
    try:
        if options.shard is not None:
            raise Trouble("Ray's tasks are the shards: leave out --shard, or say how many with --shards", 2)
        try:
            from forethought.ray import driver
        except ModuleNotFoundError as error:
            if error.name not in ("ray", "tqdm"):
                raise
            raise Trouble(f"there is no `{error.name}`: pip install 'forethought[ray]'", 2) from error
        return driver.run(options, words)
    except Trouble as trouble:
        if trouble.message:
            print(f"error: {trouble.message}", file=sys.stderr)
            if options.json:
                print(json.dumps({"error": trouble.message, "exit_status": trouble.status}), flush=True)
        return trouble.status
    except KeyboardInterrupt:
        # Ray may still be busy with what is no longer wanted.
        sys.stdout.flush()
        os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
