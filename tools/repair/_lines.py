"""Edits of single lines, written so that their search text occurs exactly once."""

from __future__ import annotations

from eidothea.state.edit import Edit


def line_edit(path: str, text: str, line: int, replacement: str) -> Edit:
    """Replace one line (counted from 1) by `replacement`, with as many lines before it as make it unique."""
    lines = text.splitlines()
    for first in range(line - 1, -1, -1):
        search = "\n".join(lines[first:line])
        if search and text.count(search) == 1:
            return Edit(path=path, search=search, replace="\n".join([*lines[first : line - 1], replacement]))
    ending = "\n" if text.endswith("\n") else ""
    return Edit(path=path, replace="\n".join([*lines[: line - 1], replacement, *lines[line:]]) + ending)
