"""Apply edits to a tree held in memory: all of them, or none with a reason the model can act on."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from eidothea.errors import ModelMistake
from eidothea.state.edit import Edit


def apply(files: Mapping[str, str], edits: Iterable[Edit], editable: Sequence[str]) -> dict[str, str]:
    """The tree after the edits, applied in order; `files` itself stays as it is.

    `editable` are the globs (fnmatch) of the files that may be changed or added. Raises ModelMistake
    naming the edit and the nearest text when one does not fit.
    """
    result = dict(files)
    for number, edit in enumerate(edits, start=1):
        try:
            _check_path(edit.path, editable)
            result[edit.path] = _edited(result, edit)
        except ModelMistake as error:
            raise ModelMistake(f"edit {number} ({edit.path}): {error}") from None
    return result


def _check_path(path: str, editable: Sequence[str]) -> None:
    pure = PurePosixPath(path)
    outside = not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or str(pure) != path
    if outside or not path.isprintable():
        raise ModelMistake("the path must be relative to the tree, with forward slashes and no '..'")
    if not any(fnmatchcase(path, pattern) for pattern in editable):
        raise ModelMistake(f"this file may not be changed; editable are: {', '.join(editable)}")


def _edited(files: Mapping[str, str], edit: Edit) -> str:
    if not edit.search:
        return edit.replace
    if edit.path not in files:
        raise ModelMistake(f"there is no such file to search in; the files are: {', '.join(sorted(files))}")
    text = files[edit.path]
    found = text.count(edit.search)
    if found == 1:
        return text.replace(edit.search, edit.replace)
    if found > 1:
        raise ModelMistake(f"the search text occurs {found} times; add lines around it until it occurs once")
    return _tolerant(text, edit)


def _tolerant(text: str, edit: Edit) -> str:
    """Replace the one place that matches but for indentation and trailing blanks."""
    lines = text.splitlines(keepends=True)
    wanted = [line.strip() for line in edit.search.strip("\n").splitlines()]
    stripped = [line.strip() for line in lines]
    last = len(lines) - len(wanted) + 1
    places = [at for at in range(last) if stripped[at : at + len(wanted)] == wanted] if any(wanted) else []
    if len(places) > 1:
        where = ", ".join(str(at + 1) for at in places)
        raise ModelMistake(f"but for blanks the search text occurs at lines {where}; add lines around it")
    if not places:
        raise ModelMistake(_nearest(lines, wanted))
    start, end = places[0], places[0] + len(wanted)
    replacement = _reindented(edit, lines[start:end])
    return "".join(lines[:start]) + replacement + "".join(lines[end:])


def _reindented(edit: Edit, matched: Sequence[str]) -> str:
    """The replacement, moved from the indentation of the search text to that of the file."""
    searched = edit.search.strip("\n").splitlines()
    first = next(i for i, line in enumerate(searched) if line.strip())
    before, after = _indent(searched[first]), _indent(matched[first])
    body = edit.replace.strip("\n")
    if before != after:
        body = "\n".join(_moved(line, before, after) for line in body.splitlines())
    ends_open = matched[-1] == matched[-1].rstrip("\r\n")
    return body if not body or ends_open else body + "\n"


def _moved(line: str, before: str, after: str) -> str:
    if not line.strip():
        return line
    return after + line[len(before) :] if line.startswith(before) else after + line.lstrip()


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _nearest(lines: Sequence[str], wanted: Sequence[str]) -> str:
    """What is there instead, so that the next try can copy it."""
    size = max(1, len(wanted))
    windows = range(max(1, len(lines) - size + 1))
    target = "\n".join(wanted)

    def likeness(at: int) -> float:
        there = "\n".join(line.strip() for line in lines[at : at + size])
        matcher = difflib.SequenceMatcher(None, target, there, autojunk=False)
        return matcher.ratio() if matcher.real_quick_ratio() > 0.4 and matcher.quick_ratio() > 0.4 else 0.0

    best = max(windows, key=likeness)
    if likeness(best) < 0.4:
        return "the search text does not occur, and nothing in the file is like it; copy it from the file exactly"
    there = textwrap.indent("".join(lines[best : best + size]).rstrip("\n"), "    ")
    return f"the search text does not occur; the nearest, from line {best + 1}, is\n{there}"
