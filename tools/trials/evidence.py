"""Read what is left of a failed job (how it ended, what it printed) as a `Failure`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eidothea.state.trial import Ending, Failure, FailureKind, Frame

Step = Literal["train", "predict", "grade", "code"]
TAIL_CHARS, READ_BYTES = 4000, 256 * 1024
TREE_INSIDE = "/workspace/tree"

HEADER = "Traceback (most recent call last):"
FRAME = re.compile(r'^\s+File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
ERROR = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
MEMORY = re.compile(r"MemoryError|OutOfMemory|out of memory|can't allocate memory|bad_alloc|Cannot allocate memory")
DIVERGED = re.compile(r"\b(nan|nans|infinite|non-?finite|not finite|diverge[ds]?|inf)\b", re.IGNORECASE)
KINDS: dict[str, FailureKind] = {
    "SyntaxError": "syntax",
    "IndentationError": "syntax",
    "TabError": "syntax",
    "ImportError": "import",
    "ModuleNotFoundError": "import",
    "MemoryError": "memory",
    "OutOfMemoryError": "memory",
    "FloatingPointError": "divergence",
    "OverflowError": "divergence",
}
OUTCOMES: dict[str, FailureKind] = {
    "timeout": "timeout",
    "memory": "memory",
    "pids": "limit",
    "disk": "limit",
    "output": "limit",
    "killed": "exit",
}


@dataclass(frozen=True)
class Traceback:
    """One parsed Python traceback; `frames` are the candidate's own, innermost last."""

    exception: str
    message: str
    frames: tuple[Frame, ...]


def from_ending(ending: Ending, step: Step, stdout: Path, stderr: Path, tree: Path | None = None) -> Failure:
    """The failure of a job that did not end with exit code 0.

    `tree` is where the candidate's files lie when the workspace does not show them as `/workspace/tree`.
    """
    errors = read_tail(stderr)
    log = tail(read_tail(stdout), errors)
    found = tracebacks(errors, tree)
    last = found[-1] if found else Traceback("", "", ())
    frames = next((t.frames for t in reversed(found) if t.frames), ())
    if ending.outcome != "exited":
        message = ending.detail or ending.outcome
        return Failure(kind=OUTCOMES[ending.outcome], message=message, step=step, frames=frames, log_tail=log)
    if not last.exception:
        return _silent(ending, step, errors, log)
    message = f"{last.exception}: {last.message}" if last.message else last.exception
    if len(found) > 1 and HEADER in errors:
        message += f" (first: {found[0].exception}: {found[0].message})"
    return Failure(
        kind=kind_of(last.exception, last.message),
        message=message[:1000],
        exception=last.exception,
        step=step,
        frames=frames,
        log_tail=log,
    )


def _silent(ending: Ending, step: Step, errors: str, log: str) -> Failure:
    """The failure of a job that ended badly without a traceback."""
    said = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "")
    ended = f"exit code {ending.exit_code}" + (f" ({ending.detail})" if ending.detail else "")
    kind: FailureKind = "memory" if MEMORY.search(errors) else "exit"
    return Failure(kind=kind, message=f"{ended}: {said[:500]}" if said else ended, step=step, log_tail=log)


def kind_of(exception: str, message: str) -> FailureKind:
    """What kind of failure an exception is, by its name and by what it says."""
    name = exception.rpartition(".")[2]
    if name in KINDS:
        return KINDS[name]
    if MEMORY.search(f"{exception} {message}"):
        return "memory"
    return "divergence" if DIVERGED.search(message) else "exception"


def tracebacks(text: str, tree: Path | None = None) -> list[Traceback]:
    """The Python tracebacks in a log, in the order in which they were printed: of a chain, the last was raised last.

    A SyntaxError of the main program comes without the usual header line, and is found too.
    """
    lines, found, frames = text.splitlines(), [], list[Frame]()
    inside = False
    for number, line in enumerate(lines):
        if line.strip() == HEADER:
            inside, frames = True, []
        elif match := FRAME.match(line):
            inside = True
            code = lines[number + 1].strip() if number + 1 < len(lines) else ""
            frame = _own(match, code, tree)
            frames += [frame] if frame else []
        elif inside and line and not line[0].isspace() and (match := ERROR.match(line)):
            found.append(Traceback(match["name"], _message(match["message"] or "", lines[number + 1 :]), tuple(frames)))
            inside, frames = False, []
    return found


def _message(first: str, following: list[str]) -> str:
    """An exception's message, with the further lines of one that has several (a state dict's, for example)."""
    more = []
    for line in following[:5]:
        if not line[:1].isspace() or FRAME.match(line):
            break
        more.append(line.strip())
    return "\n".join([first, *more]).strip()[:1000]


def _own(match: re.Match[str], code: str, tree: Path | None) -> Frame | None:
    """The frame, if it lies in the candidate's tree, with a path relative to the tree."""
    roots = [TREE_INSIDE, *([str(tree), str(tree.resolve())] if tree else [])]
    for root in roots:
        if match["path"].startswith(f"{root}/"):
            path = match["path"][len(root) + 1 :]
            return Frame(path=path, line=int(match["line"]), function=match["function"] or "<module>", code=code)
    return None


def read_tail(path: Path) -> str:
    """The end of a log as text; bytes that are no UTF-8 are replaced."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - READ_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def tail(stdout: str, stderr: str) -> str:
    """The last characters of both logs, errors last and with the larger share."""
    errors = stderr[-TAIL_CHARS * 3 // 4 :]
    room = TAIL_CHARS - len(errors)
    return "\n".join(part for part in (stdout[-room:].strip(), errors.strip()) if part)
