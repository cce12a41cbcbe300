"""The research graph for LangGraph's own tools (`langgraph dev`, Studio); see `langgraph.json`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from eidothea.ledger.store import Ledger
from eidothea.settings import Settings, load
from eidothea.state.record import RunRecord
from eidothea.state.run import RunRequest


def graph(config: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - LangGraph's compiled graph
    """The graph of a run: `{"configurable": {"run": "<run id>"}}`, by default the newest one's.

    Where there is no run yet, the graph is that of a new run of `prm-chain` at demo scale in a temporary folder.
    LangGraph's server keeps its own checkpoints; trials and model answers come from the ledger all the same.
    """
    from eidothea.graph.build import research_graph, services
    from eidothea.tools.tasks import load as load_task

    settings = load()
    wanted = ((config or {}).get("configurable") or {}).get("run")
    record = _existing(settings, wanted)
    if record is None:
        settings = settings.model_copy(update={"runs_dir": Path(tempfile.mkdtemp(prefix="eidothea-"))})
        record = _scratch()
    ledger = Ledger.open(settings.ledger_url)
    ledger.put_run(record)
    task = load_task(record.request.task, [settings.tasks_dir]).at_scale(record.request.scale)
    return research_graph(services(record, task, settings, ledger, lambda event: None))


def _existing(settings: Settings, wanted: str | None) -> RunRecord | None:
    if not settings.database_url and not (settings.runs_dir / "eidothea.db").exists():
        return None
    ledger = Ledger.open(settings.ledger_url)
    try:
        return ledger.run(wanted) if wanted else next(iter(ledger.runs()), None)
    finally:
        ledger.close()


def _scratch() -> RunRecord:
    from eidothea.tools.tasks import load as load_task

    request = RunRequest(task="prm-chain", scale="demo")
    now, task_hash = time.time(), load_task(request.task).task_hash
    return RunRecord(
        id="studio", request=request, status="running", task_hash=task_hash, workspace="auto", created_at=now
    )
