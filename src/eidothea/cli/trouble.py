"""Errors as people see them: one sentence on stderr and an exit code; a traceback only with `--debug`.

0 done, 1 a bug, 2 wrong use, 3 budget spent, 4 something is missing or refused, 5 waiting for an approval,
130 interrupted, 143 terminated.
"""

from __future__ import annotations

import sys
import traceback

import typer

from eidothea.errors import EidotheaError

debug = False
BUG, WRONG_USE, INTERRUPTED = 1, 2, 130


def tell(error: BaseException) -> int:
    """Say what went wrong and return the exit code."""
    from eidothea.tools.text import clean, one_line

    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    message, code = _sentence(error)
    sentence, _, shown = message.partition("\n") if code != BUG else (message, "", "")
    typer.echo(f"eidothea: {one_line(sentence)}", err=True)
    if shown.strip():  # what an error goes on to show (a difference, a log's end) keeps its lines
        typer.echo(clean(shown).rstrip(), err=True)
    return code


def _sentence(error: BaseException) -> tuple[str, int]:
    if isinstance(error, EidotheaError):
        if type(error).exit_code == BUG:  # an error for a model that nobody handed to it
            return _bug(error), BUG
        return str(error), error.exit_code
    if isinstance(error, (typer.Abort, KeyboardInterrupt)):
        return "interrupted", INTERRUPTED
    usage = getattr(error, "format_message", None)
    if usage is not None:
        return usage(), WRONG_USE
    return _bug(error), BUG


def _bug(error: BaseException) -> str:
    hint = "" if debug else "; the same command with --debug shows where"
    return f"this is a bug in Eidothea ({type(error).__name__}: {error}){hint}"
