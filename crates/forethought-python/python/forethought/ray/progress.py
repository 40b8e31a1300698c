"""How far a batch has come, on stderr, and whether it is to stop. Read first: `Progress`."""

import signal
import sys
import time
from types import FrameType

from tqdm import tqdm

# Without a terminal, one line in this time.
LINE_EVERY_S = 15.0
# Wrappers such as `timeout` pass one Ctrl-C on twice.
TWICE_S = 0.3


class Progress:
    """A bar over episodes on a terminal, a line now and then elsewhere."""

    def __init__(self, label: str, total: int, done: int) -> None:
        self.label, self.total, self.line = label, total, time.monotonic()
        shown = "{desc} {bar:30} {n_fmt}/{total_fmt} {elapsed}<{remaining}{postfix}"
        self.hidden = not sys.stderr.isatty()
        self.bar = tqdm(total=total, initial=done, desc=label, bar_format=shown, leave=False, disable=self.hidden, file=sys.stderr)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def set(self, done: int, message: str) -> None:
        """So many episodes have ended; `message` says how it goes."""
        if self.hidden and time.monotonic() - self.line > LINE_EVERY_S:
            self.line = time.monotonic()
            print(f"{self.label}: {done} of {self.total} episodes, {message}", file=sys.stderr, flush=True)
        if not self.hidden:
            self.bar.n = done
            self.bar.set_postfix_str(message)

    def say(self, text: str) -> None:
        """A line for people, above the bar."""
        tqdm.write(text, file=sys.stderr)


class Interrupt:
    """Ctrl-C asks once, and insists the second time."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.first, self.before = progress, None, None

    @property
    def asked(self) -> bool:
        """Whether it is to stop."""
        return self.first is not None

    def __enter__(self) -> "Interrupt":
        self.before = signal.signal(signal.SIGINT, self.hear)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def hear(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-C was pressed."""
        if self.first is None:
            self.first = time.monotonic()
            self.progress.say("stopping after the shards under way; Ctrl-C again quits at once")
        elif time.monotonic() - self.first > TWICE_S:
            raise KeyboardInterrupt
