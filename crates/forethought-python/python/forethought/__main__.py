"""`python -m forethought ...` does what the program `forethought ...` does."""

import sys

from forethought import _native


def main() -> int:
    """Do what the command line says and return the exit status."""
    return _native.main(["forethought", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
