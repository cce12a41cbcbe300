"""What a trial costs outside candidate code, split by part: run with a candidate that does next to nothing.

    python benchmarks/overhead.py [--trials 30] [--workspace auto] [--json]

The candidate's commands are `true` and `cp`, so what is measured is Eidothea's own. Data is made before the clock
starts: it is made once per seed, not once per trial. `part()` and `wrap()` are all that another part needs.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

from eidothea.api.launch import create
from eidothea.graph.build import services
from eidothea.graph.services import Services
from eidothea.graph.trials import Trials
from eidothea.ledger.store import Ledger
from eidothea.settings import Settings
from eidothea.state.run import ExperimentState, RunRequest
from eidothea.state.trial import TrialKey
from eidothea.tools.tasks import Task, load
from eidothea.tools.trials import artifacts, runner
from eidothea.tools.trials import record as trial_record
from eidothea.tools.trials.data import answers_file

TOY = Path(__file__).resolve().parents[1] / "tests" / "tasks" / "toy"
TARGET_MS = 150.0


class Clock:
    """Milliseconds by part of the trial that is running, and of all trials before."""

    def __init__(self) -> None:
        self.now: dict[str, float] = defaultdict(float)
        self.trials: list[dict[str, float]] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.now[name] += 1000 * (time.perf_counter() - started)

    def wrap(self, owner: object, attribute: str, name: str) -> None:
        """Count every call of `owner.attribute`, a function or a coroutine function, as a part."""
        inner: Callable[..., Any] = getattr(owner, attribute)

        @functools.wraps(inner)
        async def awaited(*args: object, **more: object) -> object:
            with self.part(name):
                return await inner(*args, **more)

        @functools.wraps(inner)
        def called(*args: object, **more: object) -> object:
            with self.part(name):
                return inner(*args, **more)

        setattr(owner, attribute, awaited if asyncio.iscoroutinefunction(inner) else called)

    def next_trial(self, total_ms: float) -> None:
        self.trials.append(dict(self.now) | {"other": total_ms - sum(self.now.values()), "total": total_ms})
        self.now.clear()

    def medians(self) -> dict[str, float]:
        names = dict.fromkeys(name for trial in self.trials for name in trial)
        return {name: statistics.median(trial.get(name, 0.0) for trial in self.trials) for name in names}


def trivial(task: Task) -> Task:
    """The toy task with commands that take a millisecond."""
    commands = task.spec.commands.model_copy(update={"train": "true", "predict": "cp {tree}/ready.jsonl {predictions}"})
    return replace(task, spec=task.spec.model_copy(update={"commands": commands}))


async def measure(trials: int, workspace_name: str) -> Clock:
    """Trials as a run does them: a graph step each, with its checkpoint, the ledger, the workspace and the grader."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(runs_dir=Path(folder))
        record = create(RunRequest(task=str(TOY), workspace=workspace_name, parallel=1), settings, "overhead")
        ledger = Ledger.open(settings.ledger_url)
        made = services(record, trivial(load(str(TOY))), settings, ledger, lambda event: None)
        ready = answers_file(await made.runner.data.get(made.task, "test", 0)).read_text(encoding="utf-8")
        await made.runner.data.get(made.task, "train", 0)
        tree_hash = made.code.commit("main", made.task.baseline | {"ready.jsonl": ready}, "trivial", 0)
        work = Trials(made)
        watch(clock, made, work)
        async with AsyncSqliteSaver.from_conn_string(str(made.folder / "checkpoint.db")) as saver:
            await run_graph(clock, work, tree_hash, trials + 1, saver)
        ledger.close()
    del clock.trials[0]  # the first one pays for imports and cold caches
    return clock


def watch(clock: Clock, made: Services, work: Trials) -> None:
    """Put a stopwatch on every part of a trial."""
    clock.wrap(made.workspace, "run", "workspace (2 jobs)")
    clock.wrap(artifacts, "collect", "collect")
    clock.wrap(artifacts, "take", "collect")
    clock.wrap(runner, "grade", "grader")
    clock.wrap(trial_record, "write", "record")
    clock.wrap(made.code, "checkout", "tree")
    clock.wrap(runner, "folder_hash", "tree")
    for method in ("trial", "put_trial", "put_event", "spending", "add_active"):
        clock.wrap(made.ledger, method, "ledger")
    assert made.runner.journal is not None
    clock.wrap(made.runner.journal, "append", "journal")


async def run_graph(clock: Clock, work: Trials, tree_hash: str, n: int, saver: AsyncSqliteSaver) -> None:
    """A graph of one node that runs a trial and comes back to itself; its steps' own cost is `graph`."""
    ended = time.perf_counter()

    async def step(state: ExperimentState) -> dict[str, int]:
        nonlocal ended
        clock.now["graph"] += 1000 * (time.perf_counter() - ended)
        result = await work.run(TrialKey(idea=f"i{state.attempt}", stage="pilot", seed=0), tree_hash)
        assert result.score == 1.0, result
        clock.next_trial(1000 * (time.perf_counter() - ended))
        ended = time.perf_counter()
        return {"attempt": state.attempt + 1}

    graph = StateGraph(ExperimentState)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda state: "step" if state.attempt < n else END, ["step", END])
    config: RunnableConfig = {"configurable": {"thread_id": "x"}, "recursion_limit": n + 10}
    await graph.compile(checkpointer=saver).ainvoke(ExperimentState(run="x", idea="x"), config, durability="async")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--workspace", default="auto")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    clock = asyncio.run(measure(args.trials, args.workspace))
    medians = clock.medians()
    if args.json:
        print(json.dumps({"trials": args.trials, "target_ms": TARGET_MS, "median_ms": medians}))
        return
    total = medians.pop("total")
    for name, milliseconds in sorted(medians.items(), key=lambda item: -item[1]):
        print(f"{name:20} {milliseconds:8.1f} ms")
    verdict = "under" if total < TARGET_MS else "OVER"
    print(f"{'total':20} {total:8.1f} ms  median of {args.trials} trials, {verdict} the target of {TARGET_MS:.0f} ms")


if __name__ == "__main__":
    main()
