"""Find tasks by id or by path."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from eidothea.errors import WrongUse
from eidothea.tools.tasks.spec import SPEC_FILE
from eidothea.tools.tasks.task import Task, read_task


def available(extra: Sequence[Path] = ()) -> list[str]:
    """The ids of all tasks that `load` finds without a path."""
    return sorted(_known(extra))


def load(id_or_path: str | Path, extra: Sequence[Path] = ()) -> Task:
    """A task by id, or by the path of its folder; `extra` are more folders that hold task folders.

    An id is looked for in `extra`, then in `experiments/tasks` of the working folder, then among the tasks that
    come with Eidothea. Raises WrongUse when there is none, naming the nearest, or when the task is broken.
    """
    text = str(id_or_path)
    known = _known(extra)
    if text in known and not isinstance(id_or_path, Path):
        return read_task(known[text])
    folder = Path(id_or_path).expanduser()
    if folder.is_dir():
        return read_task(folder)
    if os.sep in text or isinstance(id_or_path, Path):
        raise WrongUse(f"there is no task folder {text}")
    near = difflib.get_close_matches(text, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise WrongUse(f"no task is called {text!r}{hint} (there are: {', '.join(sorted(known)) or 'none'})")


def _known(extra: Sequence[Path]) -> dict[str, Path]:
    """Ids to folders; of two tasks with the same id, the one that the user placed."""
    bundled = Path(str(resources.files("eidothea.experiments") / "tasks"))
    places = [bundled, Path("experiments/tasks"), *reversed(extra)]
    return {
        spec.parent.name: spec.parent for place in places for spec in place.glob(f"*/{SPEC_FILE}") if spec.is_file()
    }
