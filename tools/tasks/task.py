"""A task as it lies in its folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from eidothea.errors import WrongUse
from eidothea.state.move import Move
from eidothea.state.task import ScaleName, TaskSpec
from eidothea.tools.tasks.moves import read_moves
from eidothea.tools.tasks.spec import SPEC_FILE, read_spec

NEEDED = (SPEC_FILE, "data.py", "grader.py", "README.md")


@dataclass(frozen=True)
class Task:
    """A task folder, read once.

    `baseline` maps a path relative to `baseline/` to its text. `task_hash` covers all that decides what a score
    means (task.toml, data.py, grader.py and every file they may read); the baseline, the moves and the README
    are inputs of a run, not part of the measurement.
    """

    folder: Path
    spec: TaskSpec
    readme: str
    task_hash: str
    baseline: dict[str, str]
    moves: tuple[Move, ...] = ()

    @property
    def id(self) -> str:
        return self.spec.id

    def at_scale(self, name: ScaleName) -> Task:
        """This task with limits, seeds and size of a scale."""
        return replace(self, spec=self.spec.at_scale(name))

    def editable(self, path: str) -> bool:
        """Whether candidates may change or add the file `path` of the tree."""
        return any(fnmatch(path, pattern) for pattern in self.spec.editable)


def read_task(folder: Path) -> Task:
    """The task in a folder; raises WrongUse naming the file, and the line where there is one, that is wrong."""
    folder = folder.resolve()
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        raise WrongUse(f"the task folder {folder} has no {', no '.join(missing)}")
    spec = read_spec(folder / SPEC_FILE)
    if spec.id != folder.name:
        raise WrongUse(f"{folder / SPEC_FILE}: id is {spec.id!r} but the folder is {folder.name!r}; make them the same")
    baseline = _read_baseline(folder / "baseline")
    task = Task(folder, spec, _text(folder / "README.md"), hash_folder(folder), baseline)
    if not any(task.editable(path) for path in baseline):
        raise WrongUse(f"{folder / SPEC_FILE}: no file of baseline/ matches editable = {list(spec.editable)}")
    moves = folder / "moves.py"
    return replace(task, moves=read_moves(moves, task.baseline, task.editable)) if moves.is_file() else task


def hash_folder(folder: Path) -> str:
    """Digest over names and bytes of the files that decide what a score means."""
    digest = hashlib.sha256()
    for path in sorted(_measuring(folder)):
        content = (folder / path).read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _measuring(folder: Path) -> list[str]:
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return [
        path.as_posix()
        for path in files
        if path.parts[0] not in ("baseline", "README.md", "moves.py") and "__pycache__" not in path.parts
    ]


def _read_baseline(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    if not files:
        raise WrongUse(f"{folder} has no file; put the code to start from there, experiment.py first")
    return {path.relative_to(folder).as_posix(): _text(path) for path in files}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WrongUse(f"{path} is not UTF-8 text (byte {error.start}); a task's texts and code must be") from error
