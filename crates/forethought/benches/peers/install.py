"""The virtual environment that the peers run in."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
STAMP = "peers-installed.txt"
# Asks the environment itself: it need not have pip.
LIST_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def python_of(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def requirements() -> list[str]:
    lines = (line.split("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    return [line for line in lines if line]


def pip(venv: Path, *arguments: str) -> bool:
    command = [
        str(python_of(venv)),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *arguments,
    ]
    # Standard output of this process is for what was asked for alone.
    return subprocess.run(command, stdout=sys.stderr).returncode == 0


def install_torch(venv: Path, pinned: str) -> None:
    """On Linux PyPI's wheel brings gigabytes of CUDA along, so PyTorch's own CPU index is tried first."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return
    say(f"installing {pinned} from {TORCH_CPU_INDEX}")
    if not pip(venv, pinned, "--index-url", TORCH_CPU_INDEX, "--retries", "0", "--timeout", "20"):
        # Its CUDA libraries cannot be left out: without them `import torch` fails.
        say("that index does not answer: taking PyPI's wheel, 6 GB on disk with the CUDA libraries it needs")


def install(venv: Path) -> None:
    """Create the environment and install the pinned versions, unless that has been done before."""
    wanted = requirements()
    stamp = venv / STAMP
    if stamp.is_file() and stamp.read_text().splitlines() == wanted:
        return
    if not python_of(venv).is_file():
        say(f"creating {venv}")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install_torch(venv, next(line for line in wanted if line.startswith("torch==")))
    say("installing " + ", ".join(wanted))
    if not pip(venv, "-r", str(REQUIREMENTS)):
        say("not all of them at once: trying them one by one")
        missing = [line for line in wanted if not pip(venv, line)]
        if missing:
            # Their contenders will be reported as not available; the next run tries again.
            say("could not install " + ", ".join(missing))
            return
    stamp.write_text("\n".join(wanted) + "\n")


def versions(venv: Path) -> dict[str, str]:
    """The versions of Python and of the pinned packages that are there."""
    names = [line.split("==")[0] for line in requirements()]
    command = [str(python_of(venv)), "-c", LIST_VERSIONS, *names]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
