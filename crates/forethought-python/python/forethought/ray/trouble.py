"""What ends a run, in words for people."""


class Trouble(Exception):
    """A message that says what to do, empty where it was told already, and the exit status: 1 failed, 2 the input was bad."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message, self.status = message, status
