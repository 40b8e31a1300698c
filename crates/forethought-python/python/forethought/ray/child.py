"""The command line in a process that ends with the one that began it: `python -m forethought.ray.child PARENT WORD...`.

A node that is lost takes its workers with it, and a shard that ran on would write where its next run is to write.
"""

import ctypes
import os
import signal
import sys

from forethought import _native

PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Ask the system to kill this process as soon as its parent, of this number, is no more. Only Linux can."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that asked for this is no more")


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    sys.exit(_native.main(["forethought", *sys.argv[2:]]))
