"""`eidothea doctor`: what works on this machine, and how to mend what does not."""

from __future__ import annotations

import typer

from eidothea.cli import console, find
from eidothea.cli.options import Json, RunsDir


def doctor(json: Json = False, runs_dir: RunsDir = None) -> None:
    """Check what works here.

    Exits with 4 when a default run cannot work.
    """
    from eidothea.cli.checks import checks
    from eidothea.cli.tasks import findings_table

    found = checks(find.settings(runs_dir))
    rows = [check._asdict() for check in found]
    works = all(check.ok or not check.needed for check in found)
    if json:
        console.show_json({"works": works, "checks": rows})
    else:
        console.show(findings_table([row if row["needed"] else {**row, "ok": row["ok"] or None} for row in rows]))
        console.show("")
        console.show("a default run can work here" if works else "a default run cannot work here; mend what is wrong")
    if not works:
        raise typer.Exit(4)
