"""Record a task's surface: really run random compositions of its moves, and keep every score.

    python benchmarks/record_surface.py prm-chain --scale demo --count 300 --seeds 0 1

The n-th composition holds the task's (n mod M)-th move for sure and up to two more that are drawn at random, all
settings too; number 0 is the unchanged baseline. Nothing is chosen by an earlier result. Time limits are multiplied by
`--patience`, so that a busy machine records the method and not its own load. One JSON line is appended per trial, so
the recording can be stopped at any time and goes on where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from eidothea.errors import ModelMistake
from eidothea.models._catalogue.space import MOST_MOVES, Space
from eidothea.state.base import digest
from eidothea.state.edit import Edit
from eidothea.state.move import MoveUse
from eidothea.state.trial import TrialKey
from eidothea.tools.repair.change import changed
from eidothea.tools.tasks import Task, load
from eidothea.tools.trials.data import DataStore
from eidothea.tools.trials.runner import TrialRunner
from eidothea.tools.trials.trees import CodeStore
from eidothea.workspaces._choose import choose

SURFACES = Path(__file__).parent / "surfaces"


def composition(space: Space, number: int) -> tuple[MoveUse, ...]:
    """The composition of that number; the same on every machine."""
    if number == 0:
        return ()
    rng = np.random.default_rng(number)
    names = list(space.moves)
    chosen = [names[(number - 1) % len(names)]]
    size = int(rng.integers(1, MOST_MOVES + 1))
    for place in rng.permutation(len(names)):
        more = [*chosen, names[int(place)]]
        if len(chosen) < size and names[int(place)] not in chosen and space.fits(more):
            chosen = more
    return space.draw(chosen, rng)


def tree(task: Task, uses: tuple[MoveUse, ...]) -> dict[str, str]:
    """The baseline with the moves put in; raises ModelMistake when they do not fit together."""
    moves = {move.name: move for move in task.moves}
    edits: list[Edit] = [edit for use in uses for edit in moves[use.move].render(use.settings)]
    return changed(task.baseline, edits, task.spec.editable) if edits else dict(task.baseline)


def patient(task: Task, factor: float) -> Task:
    """The task with longer time limits."""
    limits = task.spec.limits
    longer = {"train_s": limits.train_s * factor, "predict_s": limits.predict_s * factor}
    return replace(task, spec=task.spec.model_copy(update={"limits": limits.model_copy(update=longer)}))


def header(task: Task, scale: str) -> dict[str, Any]:
    """What all lines of a recording have in common."""
    return {
        "task": task.spec.id,
        "task_hash": task.task_hash,
        "baseline": digest(task.baseline),
        "moves": digest([move.model_dump(mode="json") for move in task.moves]),
        "scale": scale,
        "limits": task.spec.limits.model_dump(),
        "metric": task.spec.metric.model_dump(),
    }


def done(file: Path, head: dict[str, Any]) -> set[tuple[int, int]]:
    """Compositions and seeds that are recorded; an empty recording is begun. Exits when the task has changed since."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(head) + "\n", encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:  # the last line was cut off
        file.write_text(whole, encoding="utf-8")
    first, *lines = whole.splitlines()
    if json.loads(first) != head:
        raise SystemExit(f"{file} was recorded of another version of the task; remove it to begin anew")
    return {(row["number"], row["seed"]) for row in map(json.loads, lines)}


async def record(task: Task, scale: str, args: argparse.Namespace, file: Path, scratch: Path) -> None:
    """Run what is missing, `args.parallel` trials at once."""
    workspace, reason = choose(args.workspace)
    print(f"workspace {workspace.name}: {reason}")
    runner = TrialRunner(task, workspace, DataStore(scratch / "data"), scratch)
    store, space = CodeStore(scratch / "code.git"), Space(task.moves)
    known = done(file, header(task, scale))
    slots = asyncio.Semaphore(args.parallel)

    async def one(number: int, seed: int) -> None:
        async with slots:
            row = await measured(runner, store, task, space, number, seed, scratch)
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
        names = " + ".join(use["move"] for use in row["moves"]) or "baseline"
        print(
            f"{number:4} seed {seed}: {row['score'] if row['score'] is not None else row['failure']}  {names}",
            flush=True,
        )

    baseline = [(0, seed) for seed in task.spec.seeds.replicate]
    wanted = baseline + [(number, seed) for number in range(1, args.count + 1) for seed in args.seeds]
    try:
        await asyncio.gather(*(one(*key) for key in wanted if key not in known))
    finally:
        await workspace.close()


async def measured(
    runner: TrialRunner, store: CodeStore, task: Task, space: Space, number: int, seed: int, scratch: Path
) -> dict[str, Any]:
    """One trial as a row of the recording."""
    uses = composition(space, number)
    row: dict[str, Any] = {"number": number, "seed": seed, "moves": [use.model_dump() for use in uses]}
    try:
        files = tree(task, uses)
    except ModelMistake as mistake:
        return row | {"score": None, "failure": f"edit: {mistake}", "wall_s": 0.0}
    name = f"c{number}-{seed}"
    tree_hash = store.commit(name, files, name, 0)
    folder = store.checkout(tree_hash, scratch / "trees" / name)
    result = await runner.run(TrialKey(idea=name, stage="replicate", seed=seed), folder, tree_hash)
    failure = f"{result.failure.kind}: {result.failure.message[:200]}" if result.failure else ""
    wall = round(result.train.wall_s + result.predict.wall_s, 2)
    shutil.rmtree(scratch / "trials" / name, ignore_errors=True)
    return row | {"score": result.score, "failure": failure, "wall_s": wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("task")
    parser.add_argument("--scale", default="demo")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--patience", type=float, default=3.0)
    parser.add_argument("--workspace", default="auto")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    task = patient(load(args.task).at_scale(args.scale), args.patience)
    file = args.out or SURFACES / f"{task.spec.id}.jsonl"
    with tempfile.TemporaryDirectory(prefix="surface-", ignore_cleanup_errors=True) as scratch:
        asyncio.run(record(task, args.scale, args, file, Path(scratch)))


if __name__ == "__main__":
    main()
