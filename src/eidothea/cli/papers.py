"""`eidothea papers search|show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from eidothea.cli import console, find
from eidothea.cli.options import Json, RunsDir
from eidothea.errors import WrongUse

if TYPE_CHECKING:
    from eidothea.state.paper import Hit, Paper

app = typer.Typer(help="The paper library: search, show.", no_args_is_help=True)


@app.command("search")
def search_papers(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What the papers are about.")],
    n: Annotated[int, typer.Option("-n", help="How many.", min=1, max=200)] = 10,
    json: Json = False,
    runs_dir: RunsDir = None,
) -> None:
    """Search the library by meaning."""
    from eidothea.tools.papers.bundled import open_library

    if not query.strip():
        raise WrongUse("the query is empty; write what the papers are about")
    settings = find.settings(runs_dir)
    hits = open_library(settings.runs_dir / "library").search(query, n)
    if json:
        console.show_json([{"similarity": h.similarity, **h.paper.model_dump(mode="json")} for h in hits])
    else:
        console.show(_hits(hits))


def _hits(hits: list[Hit]) -> Any:  # noqa: ANN401 - a Rich table, imported late
    from rich.text import Text

    from eidothea.tools.text import one_line

    made = console.table("near", "paper", "title", "published", right=("near",))
    made.columns[1].no_wrap = made.columns[3].no_wrap = True
    for hit in hits:
        paper = hit.paper
        made.add_row(
            f"{hit.similarity:.2f}", one_line(paper.id), Text(one_line(paper.title)), one_line(paper.published)
        )
    return made


@app.command("show")
def show_paper(
    paper: Annotated[str, typer.Argument(metavar="PAPER", help="A paper's id, such as arxiv:2412.01981.")],
    json: Json = False,
    runs_dir: RunsDir = None,
) -> None:
    """Show one paper."""
    found = _find(paper, runs_dir)
    if json:
        console.show_json(found.model_dump(mode="json"))
    else:
        console.show(_paper(found))


def _find(word: str, runs_dir: Any) -> Paper:  # noqa: ANN401 - a path or None
    """A paper by id; the bundled corpus and what runs have ranked are asked, not the embedding model."""
    import difflib

    from eidothea import plugins

    known = {paper.id: paper for paper in plugins.load("tools.papers.sources", "corpus")().papers()}
    ledger = find.ledger(find.settings(runs_dir)) if word not in known else None
    ranked = ledger.papers([word]) if ledger else {}
    found = known.get(word) or known.get(f"arxiv:{word}") or ranked.get(word)
    if found is None:
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `eidothea papers search` finds ids"
        raise WrongUse(f"no paper is called {word!r}{hint}")
    return found


def _paper(paper: Paper) -> Any:  # noqa: ANN401 - a Rich group, imported late
    from rich.console import Group
    from rich.text import Text

    from eidothea.tools.text import clean, one_line

    made = console.table("", "")
    made.show_header = False
    lines = [
        ("id", paper.id),
        ("authors", ", ".join(paper.authors)),
        ("published", paper.published),
        ("summary", paper.summary),
        ("methods", ", ".join(paper.methods)),
        ("input", paper.task.input),
        ("output", paper.task.output),
        ("objective", paper.task.objective),
        ("code", paper.code or ""),
        ("source", paper.source),
    ]
    for label, text in lines:
        if text:
            made.add_row(Text(label, style="dim"), Text(clean(text)))
    return Group(Text(one_line(paper.title), style="bold"), Text(""), made)
