"""Everything that is printed passes here: what is not text is shown as text, and a stream that ends is no traceback."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# Control characters (C0, DEL, C1), characters without width, marks and overrides of direction, separators of lines,
# tags, and halves of pairs, as undecodable bytes of names are. Joiners stay where emoji, Arabic or Indic text has them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
    "|(?<![\u0600-\u0dff\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]"
)


def shown(text: str) -> str:
    r"""One line in which every character can be seen, as `ls` shows names: shown("a\x1b[2J\nb") == r"a\x1b[2J\nb"."""
    return escaped(text, lambda character: character.encode("unicode_escape").decode())


def escaped(text: str, form: Callable[[str], str]) -> str:
    """A text with `form` of every character that cannot be seen or that moves others."""
    return _UNSEEN.sub(lambda match: form(match[0]), text)


class Terminal(Console):
    """A console to which a string is one line of plain text: no markup, no emoji codes, no control characters.

    Style comes in a `Text`; a line break is another call. Strings in tables are treated alike.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, soft_wrap=True, **settings)

    @property
    def columns(self) -> int | None:
        """How wide lines may be; None where nobody said, as in a pipe."""
        return self.width if self.is_terminal or os.environ.get("COLUMNS", "").isdecimal() else None

    def render_str(self, text: str, *, style: Any = "", **settings: Any) -> Text:
        """A string is the text it shows."""
        kept = {name: settings[name] for name in ("justify", "overflow") if name in settings}
        return Text(shown(text), style=style, **kept)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What comes in other ways than as a string: the same, but for the line breaks of its layout."""
        for segment in super().render(renderable, options):
            lines = segment.text.split("\n")
            yield segment if segment.control else Segment("\n".join(map(shown, lines)), segment.style)


class Stream:
    """Standard output or error of this process, once `main` has begun.

    A reader that has gone (`| head`) is no fault: the rest is dropped, and the exit code is the command's own. The same
    holds for all faults of standard error.
    """

    def __init__(self, stream: TextIO, *, needed: bool) -> None:
        self._stream = stream
        self._needed = needed

    def write(self, text: str) -> int:
        """Characters written, or dropped.

        Raises:
            OSError: what is needed cannot be written, as when a disk is full.
        """
        if not isinstance(text, str):
            raise TypeError(f"a text stream takes text, not {type(text).__name__}")
        if not text:  # typer tries a stream with nothing, and passes over every fault
            return 0
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self._end(error)
        return len(text)

    def flush(self) -> None:
        """As `write`."""
        try:
            self._stream.flush()
        except OSError as error:
            self._end(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _end(self, error: OSError) -> None:
        with suppress(OSError):  # what is buffered, and all that follows, goes nowhere; also when the interpreter ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        if self._needed and not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, f"standard output cannot be written: {error.strerror}") from error


def hold_streams() -> None:
    """Make standard output and error `Stream`s. One that is closed leads nowhere, before a file takes its number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")  # None where it was closed when Python began
    stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    sys.stdout, sys.stderr = cast(TextIO, Stream(stdout, needed=True)), cast(TextIO, Stream(stderr, needed=False))


out = Terminal()
err = Terminal(stderr=True)
