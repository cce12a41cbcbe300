"""What a candidate may ask for in its requirements.txt."""

from __future__ import annotations

import re
from pathlib import Path

NAME = "requirements.txt"
LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
MAX_LINES = 50


class Refused(Exception):
    """A line may not stand there; the message says why."""


def requested(tree: Path, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The packages that a tree asks for, as `name==version`; none where the task allows none. Raises Refused."""
    file = tree / NAME
    if not allowed or not file.is_file():
        return ()
    text = file.read_text(encoding="utf-8", errors="replace")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    wanted = tuple(sorted({_checked(line, allowed) for line in lines if line}))
    if len(wanted) > MAX_LINES:
        raise Refused(f"{NAME} names {len(wanted)} packages, more than {MAX_LINES}")
    return wanted


def _checked(line: str, allowed: tuple[str, ...]) -> str:
    found = LINE.fullmatch(line)
    if found is None:
        raise Refused(f"{NAME}: {ascii(line)[:80]} must be a package with its version, name==1.2.3, and nothing else")
    if "*" not in allowed and _normal(found[1]) not in map(_normal, allowed):
        raise Refused(f"{NAME}: this task does not allow {found[1]}; it allows {', '.join(allowed)}")
    return f"{_normal(found[1])}=={found[2]}"


def _normal(name: str) -> str:
    """Names of packages compare without case, and with all separators alike (PyPA, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()
