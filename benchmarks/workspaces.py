"""What starting candidate code costs in each workspace, cold and warm, and what a whole trial of trivial code costs.

    python benchmarks/workspaces.py [--jobs 20] [--trials 30] [--kinds process,bubblewrap,…] [--json]

In docker a warm start uses up a container, and the next one takes seconds to get ready; only jobs for which one waits
are measured, except in `of two`. `first line` is the time from handing over a job to the first line of its script,
`with torch` the same after `import torch`, `job` until its ending is known; all medians. `trial` is a trial of the toy
task whose scripts only copy a file: two jobs, the artifacts, the grader, the records; alone, and with two at once.
Kinds that do not work here are left out with their reason.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from eidothea import plugins
from eidothea.protocols import Job, Workspace
from eidothea.state.task import Limits
from eidothea.state.trial import TrialKey
from eidothea.tools.tasks import Task, load
from eidothea.tools.trials.data import DataStore, answers_file
from eidothea.tools.trials.runner import TrialRunner
from eidothea.tools.trials.trees import CodeStore

TOY = Path(__file__).resolve().parents[1] / "tests" / "tasks" / "toy"
# One clock for the machine and every sandbox. Only a script that names what is slow to import starts warm.
TELL = "import os, time; os.write(1, str(time.monotonic()).encode())  # not torch\n"
SCRIPTS = {"": TELL, "torch": "import torch\n" + TELL}
READY = "import shutil, sys; shutil.copy('ready.jsonl', sys.argv[1])\n"
OPENEVOLVE_MS = 26.0  # an evaluation by OpenEvolve 0.4.0 without isolation, 2 workers, on a machine like this
NAN = float("nan")


@dataclass
class Row:
    """Medians of one kind, in milliseconds."""

    kind: str
    first_line: float = NAN
    with_torch: float = NAN
    job: float = NAN
    trial: float = NAN
    trial_of_two: float = NAN
    server_mb: float = NAN


def kinds() -> list[tuple[str, str, bool]]:
    """Label, plug-in and whether warm, of all that can be asked for."""
    found = []
    for name in plugins.names("workspaces"):
        found.append((name, name, False))
        if getattr(plugins.load("workspaces", name), "starts_warm", False):
            found.append((f"{name}, warm", name, True))
    return found


async def jobs(workspace: Workspace, script: str, n: int, folder: Path) -> tuple[float, float]:
    """Medians of the time to the script's line and to the job's end; the first job is not counted."""
    tree, out = folder / "tree", folder / "out"
    for path in (tree, out):
        path.mkdir(parents=True)
    (tree / "main.py").write_text(script, encoding="utf-8")
    job = Job("job", "python main.py", {"tree": tree}, out, Limits(), 60, folder / "stdout", folder / "stderr")
    lines, ends = [], []
    for _ in range(n + 1):
        await settled(workspace)
        started = time.monotonic()
        ending = await workspace.run(job)
        ended = time.monotonic()
        assert ending.ok, (ending, job.stderr.read_text())
        lines.append(1000 * (float(job.stdout.read_text()) - started))
        ends.append(1000 * (ended - started))
    return statistics.median(lines[1:]), statistics.median(ends[1:])


async def settled(workspace: Workspace) -> None:
    """Wait until as many containers are ready as there should be, where a warm start uses one up."""
    while not getattr(getattr(workspace, "pool", None), "full", True):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def trivial(task: Task) -> Task:
    """The toy task with scripts of one line."""
    commands = task.spec.commands.model_copy(
        update={"train": "python train.py", "predict": "python predict.py {predictions}"}
    )
    return replace(task, spec=task.spec.model_copy(update={"commands": commands}))


async def trials(workspace: Workspace, n: int, folder: Path) -> tuple[float, float]:
    """Milliseconds a trial: the median of single ones, and the mean with two at once."""
    task, data, code = trivial(load(str(TOY))), DataStore(folder / "data"), CodeStore(folder / "code.git")
    ready = answers_file(await data.get(task, "test", 0)).read_text(encoding="utf-8")
    await data.get(task, "train", 0)
    tree_hash = code.commit(
        "main", {"train.py": "pass  # not torch\n", "predict.py": READY, "ready.jsonl": ready}, "trivial", 0
    )
    tree = code.checkout(tree_hash, folder / "tree")
    runner = TrialRunner(task, workspace, data, folder)

    together = False

    async def one(name: str) -> float:
        if not together:
            await settled(workspace)
        started = time.monotonic()
        result = await runner.run(TrialKey(idea=name, stage="pilot", seed=0), tree, tree_hash)
        assert result.score == 1.0, result
        return 1000 * (time.monotonic() - started)

    await one("first")
    alone = [await one(f"a{i}") for i in range(n)]
    together, started = True, time.monotonic()
    await asyncio.gather(*(_row(one, lane, n) for lane in "bc"))
    return statistics.median(alone), 1000 * (time.monotonic() - started) / (2 * n)


async def _row(one: Callable[[str], Awaitable[float]], lane: str, n: int) -> None:
    for i in range(n):
        await one(f"{lane}{i}")


async def measure(label: str, name: str, warm: bool, n_jobs: int, n_trials: int) -> Row:
    cls = plugins.load("workspaces", name)
    workspace: Workspace = cls(warm=True) if warm else cls()
    row = Row(label)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            if warm:
                row.server_mb = await _warmed(workspace, folder / "warming")
            row.first_line, row.job = await jobs(workspace, SCRIPTS[""], n_jobs, folder / "plain")
            row.with_torch, _ = await jobs(workspace, SCRIPTS["torch"], n_jobs, folder / "torch")
            row.trial, row.trial_of_two = await trials(workspace, n_trials, folder / "trials")
        finally:
            await workspace.close()
    return row


async def _warmed(workspace: Workspace, folder: Path) -> float:
    """Wait until scripts start warm; returns the megabytes that what makes it possible holds."""
    end = time.monotonic() + 120
    sees = "import sys; sys.stdout.write(str(float('torch' in sys.modules)))\n"
    for i in range(10**6):
        job_folder = folder / str(i)
        tree, out = job_folder / "tree", job_folder / "out"
        for path in (tree, out):
            path.mkdir(parents=True)
        (tree / "main.py").write_text(sees, encoding="utf-8")
        job = Job("job", "python main.py", {"tree": tree}, out, Limits(), 60, job_folder / "stdout", job_folder / "err")
        await workspace.run(job)
        if job.stdout.read_text() == "1.0":
            await settled(workspace)
            below = psutil.Process().children(recursive=True)
            return float(sum(process.memory_full_info().pss for process in below)) / (1 << 20)
        assert time.monotonic() < end, "nothing starts warm here"
        await asyncio.sleep(0.2)
    raise AssertionError


def show(rows: list[Row], skipped: dict[str, str]) -> None:
    print(f"{'':18}{'first line':>11}{'with torch':>11}{'job':>8}{'trial':>8}{'of two':>8}   ms")
    for row in rows:
        numbers = f"{row.first_line:11.1f}{row.with_torch:11.1f}{row.job:8.1f}{row.trial:8.1f}{row.trial_of_two:8.1f}"
        memory = f"   (the server takes {row.server_mb:.0f} MB)" if row.server_mb > 0 else ""
        print(f"{row.kind:18}{numbers}{memory}")
    for kind, reason in skipped.items():
        print(f"{kind}: not here: {reason}")
    print(f"for comparison: {OPENEVOLVE_MS:.0f} ms an evaluation by OpenEvolve 0.4.0, without isolation; ", end="")
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows, skipped = [], {}
    for label, name, warm in kinds():
        if args.kinds and name not in args.kinds.split(","):
            continue
        probe = plugins.load("workspaces", name).probe()
        if not probe.ok:
            skipped[name] = probe.reason
            continue
        rows.append(asyncio.run(measure(label, name, warm, args.jobs, args.trials)))
    if args.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "skipped": skipped, "load": os.getloadavg()}))
    else:
        show(rows, skipped)


if __name__ == "__main__":
    main()
