"""`eidothea prompts list|show`: what language models are sent."""

from __future__ import annotations

import json as encoder
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from eidothea.cli import console, find
from eidothea.cli.options import Json, RunsDir
from eidothea.errors import WrongUse

if TYPE_CHECKING:
    from eidothea.cli.example import Example
    from eidothea.cli.subject import Known
    from eidothea.settings import Settings

app = typer.Typer(help="What language models are sent: list, show.", no_args_is_help=True)
TOKEN = 4  # characters, about, of English and code


@app.command("list")
def list_prompts(json: Json = False) -> None:
    """List the requests that have a prompt."""
    from eidothea.prompts._render import about, names

    rows = [{"request": name, "about": about(name)} for name in names()]
    if json:
        console.show_json(rows)
        return
    table = console.table("request", "about")
    for row in rows:
        table.add_row(row["request"], row["about"])
    console.show(table)


@app.command("show")
def show_prompt(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A request, such as write_code.")],
    task: Annotated[str, typer.Option(help="A task's id or folder; left out, the idea's.", metavar="TASK")] = "",
    scale: Annotated[
        Literal["demo", "default", "gpu"] | None, typer.Option(help="The size of trials.", show_default="default")
    ] = None,
    idea: Annotated[str, typer.Option(help="An idea of a run instead of an example.", metavar="IDEA")] = "",
    room: Annotated[
        int | None, typer.Option(help="Shorten it to so many characters, as for a small model.", metavar="N", min=1)
    ] = None,
    json: Json = False,
    runs_dir: RunsDir = None,
) -> None:
    """Show what a run would send about a task.

    Without --idea, what needs an idea is about the first one that the catalogue proposes.
    """
    from eidothea.cli.asked import request
    from eidothea.prompts._render import names, render, stable
    from eidothea.state.answer import NoAnswer

    if name not in names():
        raise WrongUse(f"no prompt is called {name!r}; there are: {', '.join(names())}")
    notes: list[str] = []
    about = _about(task, scale, idea, find.settings(runs_dir), notes)
    asked = request(name, about)
    try:
        prompt = render(name, asked.context, room)
    except NoAnswer as none:
        raise WrongUse(f"--room {room} is too little: {none}") from none
    same = len(prompt.system) + len(stable(name, asked.context)) if room is None else None
    facts = {
        "request": name,
        "task": about.task.id,
        "notes": notes,
        "characters": len(prompt.system) + len(prompt.user),
        "same_for_every_such_request": same,
        "system": prompt.system,
        "user": prompt.user,
        "schema": asked.answer.model_json_schema(),
    }
    if json:
        console.show_json(facts)
    else:
        _print(facts)


def _about(task: str, scale: Any, idea: str, settings: Settings, notes: list[str]) -> Example | Known:  # noqa: ANN401
    """What to show a prompt about. Raises WrongUse when task and idea do not go together."""
    from eidothea.cli.example import Example
    from eidothea.cli.subject import Known
    from eidothea.cli.tasks import load_task

    if not idea:
        if not task:
            raise WrongUse("say which task with --task, or which idea of a run with --idea")
        return Example(load_task(task).at_scale(scale or "default"), settings, notes.append)
    ledger = find.existing_ledger(settings)
    run, record = find.idea(ledger, idea, settings)
    found = load_task(run.request.task).at_scale(scale or run.request.scale)
    if task and load_task(task).id != found.id:
        raise WrongUse(f"idea {record.idea.id} of run {run.id} is about the task {found.id}, not {task}")
    return Known(found, settings, notes.append, ledger, run, record)


def _print(facts: dict[str, Any]) -> None:
    from eidothea.tools.text import clean

    for note in facts["notes"]:
        console.note(note)
    schema = encoder.dumps(facts["schema"], indent=1)
    for title, text in (("system", facts["system"]), ("user", facts["user"]), ("schema of the answer", schema)):
        typer.echo(f"--- {title}")
        typer.echo(clean(text).rstrip("\n"))
    size, same = facts["characters"], facts["same_for_every_such_request"]
    prefix = f"; the first {same} are the same for every {facts['request']} of this task" if same else ""
    console.note(f"{size} characters, about {size // TOKEN} tokens{prefix}")
