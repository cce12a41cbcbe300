"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunsDir = Annotated[Path | None, typer.Option(help="Where runs live.", show_default="runs", metavar="DIR")]
RunWord = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, the start of one, or `last`.")]
IdeaWord = Annotated[
    str, typer.Argument(metavar="IDEA", help="`r1-03` (of the newest run that has it) or `RUN/r1-03`.")
]
BudgetUsd = Annotated[float | None, typer.Option(help="Stop when so many dollars are spent.", metavar="USD")]
BudgetTokens = Annotated[int | None, typer.Option(help="Stop when so many tokens are used.", metavar="N")]
BudgetHours = Annotated[float | None, typer.Option(help="Stop after so many hours of work.", metavar="HOURS")]
