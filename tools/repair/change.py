"""One step from a tree to the next: edits that apply, change what runs, and break nothing that can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eidothea.errors import ModelMistake, Unchanged
from eidothea.state.edit import Edit
from eidothea.tools.repair import check, edits, normal


def changed(files: Mapping[str, str], changes: Sequence[Edit], editable: Sequence[str]) -> dict[str, str]:
    """The tree after the changes.

    Raises ModelMistake when an edit does not fit, when nothing but comments and formatting changed, or when the
    code has a new problem of syntax or of undefined names.
    """
    after = edits.apply(files, changes, editable)
    if normal.same(files, after):
        raise Unchanged("the edits change nothing but comments or formatting; what runs must change")
    known = {_without_line(problem) for problem in check.problems(files)}
    found = [problem for problem in check.problems(after) if _without_line(problem) not in known]
    if found:
        raise ModelMistake("the edited code is broken: " + "; ".join(found[:5]))
    return after


def _without_line(problem: str) -> str:
    """Edits above an old problem move it; that does not make it new."""
    place, _, text = problem.partition(": ")
    return f"{place.partition(', line ')[0]}: {text}"
