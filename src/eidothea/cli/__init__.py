"""The command line: `eidothea …`. Results go to stdout, progress and errors to stderr.

Importing this package must stay quick: everything heavy is imported inside the command that needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the codes are listed in `eidothea.cli.trouble`."""
    from eidothea.cli import app, trouble

    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        _never_break(stream)
    trouble.debug = "--debug" in words  # accepted anywhere on the line, so that it can simply be appended
    try:
        code = app.app([w for w in words if w != "--debug"], prog_name="eidothea", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:  # `eidothea runs | head`
        _close_quietly()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        return trouble.tell(error)


def _never_break(stream: TextIO) -> None:
    """Characters that the terminal's encoding lacks become `?` instead of an error."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


def _close_quietly() -> None:
    """Nobody reads stdout any more: keep the interpreter from complaining about it while it exits."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
