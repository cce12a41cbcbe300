"""Read a task's moves.py and check that every move fits the baseline."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from string import Template

from eidothea.errors import WrongUse
from eidothea.state.edit import Edit
from eidothea.state.move import Move


def read_moves(path: Path, baseline: dict[str, str], editable: Callable[[str], bool]) -> tuple[Move, ...]:
    """The `MOVES` of a moves.py, which is trusted code of the task's author and is executed.

    Raises WrongUse naming the file and the move that does not fit.
    """
    try:
        moves = tuple(runpy.run_path(str(path))["MOVES"])
    except KeyError:
        raise WrongUse(f"{path} does not define MOVES; end it with MOVES = (Move(...), ...)") from None
    except Exception as error:
        said = " ".join(str(error).split())
        raise WrongUse(f"{path} cannot be read: {type(error).__name__}: {said}") from error
    if wrong := [move for move in moves if not isinstance(move, Move)]:
        raise WrongUse(f"{path}: MOVES holds {wrong[0]!r}, which is no eidothea.state.move.Move")
    for problem in _problems(moves, baseline, editable):
        raise WrongUse(f"{path}: {problem}")
    return moves


def _problems(moves: tuple[Move, ...], baseline: dict[str, str], editable: Callable[[str], bool]) -> list[str]:
    names = [move.name for move in moves]
    problems = [f"two moves are called {name!r}" for name in sorted(set(names)) if names.count(name) > 1]
    for move in moves:
        problems += [
            f"move {move.name!r} conflicts with {other!r}, which is no move"
            for other in move.conflicts
            if other not in names
        ]
        problems += _parameters(move)
        for edit in move.edits:
            problems += [f"move {move.name!r}: {problem}" for problem in _edit(edit, baseline, editable)]
    return problems


def _parameters(move: Move) -> list[str]:
    templates = [Template(edit.replace) for edit in move.edits]
    if not all(template.is_valid() for template in templates):
        return [f"move {move.name!r}: a replacement has a $ that starts no parameter; write $$ for a dollar sign"]
    used = {name for template in templates for name in template.get_identifiers()}
    return [f"move {move.name!r}: ${name} is no parameter of it" for name in sorted(used - set(move.params))] + [
        f"move {move.name!r}: no replacement uses its parameter {name!r}" for name in sorted(set(move.params) - used)
    ]


def _edit(edit: Edit, baseline: dict[str, str], editable: Callable[[str], bool]) -> list[str]:
    if not editable(edit.path):
        return [f"{edit.path} is not editable"]
    if not edit.search:
        return []
    if edit.path not in baseline:
        return [f"the baseline has no {edit.path}"]
    found = baseline[edit.path].count(edit.search)
    return [] if found == 1 else [f"{edit.search!r} occurs {found} times in {edit.path}, and must occur once"]
