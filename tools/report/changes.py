"""What an idea's code changes in the baseline, from the run's git repository."""

from __future__ import annotations

from pathlib import Path

from eidothea.errors import Missing
from eidothea.tools.report.model import Change, Changes


def changes(folder: Path, idea: str) -> Changes | None:
    """The unified diff of an idea's newest code against the baseline; None when the repository or branch is gone."""
    repository = folder / "code.git"
    if not repository.is_dir():
        return None
    from eidothea.tools.trials.trees import CodeStore

    try:
        return summarise(CodeStore(repository).diff("main", f"idea/{idea}"))
    except Missing:
        return None


def summarise(diff: str) -> Changes:
    """A unified diff with its added and removed lines counted by file."""
    counts: dict[str, list[int]] = {}
    path, left, right = "", 0, 0
    for line in diff.split("\n"):
        if left <= 0 and right <= 0:
            path, left, right = _header(line, path, counts)
            continue
        sign = line[:1]
        counts[path][0] += sign == "+"
        counts[path][1] += sign == "-"
        left -= sign in ("-", " ")
        right -= sign in ("+", " ")
    files = tuple(Change(path=p, added=n[0], removed=n[1]) for p, n in sorted(counts.items()))
    return Changes(files=files, diff=diff)


def _header(line: str, path: str, counts: dict[str, list[int]]) -> tuple[str, int, int]:
    """The file a header names, and how many lines of both sides the hunk that begins here has."""
    if line.startswith(("--- ", "+++ ")):
        name = line[4:].split("\t")[0].strip()
        path = path if name == "/dev/null" else name.removeprefix("a/").removeprefix("b/")
        return path, 0, 0
    if not line.startswith("@@ "):
        return path, 0, 0
    counts.setdefault(path, [0, 0])
    before, after = line.split(" ")[1:3]
    return path, _length(before), _length(after)


def _length(side: str) -> int:
    _, comma, length = side.partition(",")
    return int(length) if comma else 1
