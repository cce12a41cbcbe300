"""Make a recording anew after prompts, schemas or seeds changed, with the answers that the old one holds.

    python tests/support/rerecord.py OLD NEW -- run prm-chain --scale demo --rounds 1 …

The command after `--` must be the one that OLD was made with, without --model and --record. Every call is answered
with what OLD has for the same call of the run and the same kind of request, whatever the prompt says now, and NEW
keeps OLD's header. It is for small changes only: read the new prompts before you claim that the old answers are
answers to them.

By itself, `--model rerecord.Loose:OLD` (with this folder on PYTHONPATH) answers any run in this way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from eidothea.errors import Missing, WrongUse
from eidothea.models._recording import MARK, Line, Recording, dump, load
from eidothea.models.replay import replied
from eidothea.protocols import ModelOptions
from eidothea.settings import FREE, Price
from eidothea.state.answer import Reply
from eidothea.state.base import digest
from eidothea.state.request import Request

A = TypeVar("A", bound=BaseModel)


class Loose:
    """Answers each call from an old recording by the call's name alone."""

    name = "loose"
    price: Price | None = FREE

    def __init__(self, recording: Recording, options: ModelOptions) -> None:
        self._file, self._render = recording.file, options.render
        self._unused: dict[tuple[str, str], list[Line]] = {}
        for line in recording.lines:
            self._unused.setdefault((line.request, line.call), []).append(line)
        models = {digest(line.parameters): line.parameters for line in recording.lines}
        # The new lines name the model that the answers come from, where it was one.
        self.parameters: Mapping[str, Any] = next(iter(models.values())) if len(models) == 1 else {"model": "several"}

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> Loose:
        if not argument:
            raise WrongUse("say which recording: --model rerecord.Loose:FILE")
        return cls(load(Path(argument)), options)

    async def answer(self, request: Request[A]) -> Reply[A]:
        """The old answer to this call; raises Missing when there is none (left) or it does not fit any more."""
        lines = self._unused.get((request.name, request.key))
        if not lines:
            raise Missing(f"the recording {self._file} has no answer (left) to {request.name} {request.key!r}")
        return replied(lines.pop(0), request, self._render(request.name, request.context), self._file)

    async def close(self) -> None: ...


def keep_header(old: Path, new: Path) -> None:
    """Give NEW the header of OLD, which says who answered, with its own run."""
    head, rest = new.read_bytes().split(b"\n", 1)
    header = dict(load(old).header) | {"run": json.loads(head)["run"]}
    new.write_bytes(dump({MARK: header.pop(MARK), **dict(sorted(header.items()))}) + rest)


def main(words: list[str]) -> int:
    if len(words) < 4 or words[2] != "--":
        print(__doc__, file=sys.stderr)  # noqa: T201 - a command line
        return 2
    old, new = Path(words[0]), Path(words[1])
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [*words[3:], "--model", f"rerecord.Loose:{old}", "--record", str(new)]
    start = "import sys; from eidothea.cli import main; sys.exit(main())"
    code = subprocess.run(
        [sys.executable, "-c", start, *words], env=os.environ | {"PYTHONPATH": path}, check=False
    ).returncode
    if code == 0:
        keep_header(old, new)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
