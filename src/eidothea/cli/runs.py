"""`eidothea runs`, `status` and `ideas`: look at runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eidothea.cli import console, find
from eidothea.cli.options import Json, RunsDir, RunWord

if TYPE_CHECKING:
    from eidothea.ledger.reader import Reader
    from eidothea.state.record import RunRecord


def runs(json: Json = False, runs_dir: RunsDir = None) -> None:
    """List the runs, newest first."""
    settings = find.settings(runs_dir)
    ledger = find.ledger(settings)
    rows = [_run_row(ledger, r) for r in ledger.runs()] if ledger else []
    if json:
        console.show_json(rows)
    elif rows:
        console.show(_runs_table(rows))
    else:
        console.note(find.no_runs(settings))


def _run_row(ledger: Reader, run: RunRecord) -> dict[str, Any]:
    kinds = [v.kind for v in ledger.verdicts(run.id).values()]
    return {
        "run": run.id,
        "task": run.request.task,
        "status": run.status,
        "reason": run.reason,
        "round": run.round,
        "rounds": run.request.rounds,
        "created_at": run.created_at,
        "verdicts": {kind: kinds.count(kind) for kind in ("improve", "maintain", "decline", "failed")},
    }


def _runs_table(rows: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - a Rich table, imported late
    import time

    from eidothea.tools.text import one_line

    table = console.table("run", "started", "status", "round", "verdicts", right=("round",))
    for row in rows:
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["created_at"]))
        verdicts = ", ".join(f"{n} {kind}" for kind, n in row["verdicts"].items() if n) or "none yet"
        table.add_row(one_line(row["run"]), started, row["status"], f"{row['round']}/{row['rounds']}", verdicts)
    return table


def status(run: RunWord, json: Json = False, runs_dir: RunsDir = None) -> None:
    """Show where a run stands and how to go on."""
    from eidothea.cli.standing import standing, standing_view

    settings = find.settings(runs_dir)
    ledger = find.existing_ledger(settings)
    facts = standing(ledger, find.run(ledger, run, settings), settings, runs_dir)
    if json:
        console.show_json(facts)
    else:
        console.show(standing_view(facts))


def ideas(run: RunWord, json: Json = False, runs_dir: RunsDir = None) -> None:
    """List a run's ideas with their verdicts."""
    from eidothea.cli.summary import idea_rows, ideas_table

    settings = find.settings(runs_dir)
    ledger = find.existing_ledger(settings)
    record = find.run(ledger, run, settings)
    rows = idea_rows(ledger, record.id)
    if json:
        console.show_json(rows)
    elif rows:
        console.show(ideas_table(rows))
    else:
        console.note(f"run {record.id} has no ideas yet")
