"""What Rust does for this package."""

from os import PathLike

def main(argv: list[str]) -> int:
    """Do what a command line says, whose first word is the program's name, and return its exit status."""

def installed_in(folder: str | PathLike[str]) -> None:
    """Look for scenarios by name in this folder too. The first call counts."""
