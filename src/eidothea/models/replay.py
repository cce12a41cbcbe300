"""Answer from a recording: `replay:FILE`, made with `--record FILE`. Nothing else is asked, and nothing is paid."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from eidothea.errors import Missing, ModelMistake, WrongUse
from eidothea.models._recording import Line, Recording, key_of, load, masked, schema_hash, scrubbed_prompt, whole
from eidothea.models._scrub import secrets_of
from eidothea.protocols import ModelOptions
from eidothea.settings import FREE, Price
from eidothea.state.answer import NoAnswer, Prompt, Reply
from eidothea.state.base import digest
from eidothea.state.request import Request

A = TypeVar("A", bound=BaseModel)
_DIFF_LINES, _DIFF_WIDTH = 20, 200


class Replay:
    """A recording as a model.

    Of the answers recorded under a request's key it gives the one that was given to the very same call of the run,
    else the first that is not used up: so a resumed run goes on where it was.
    """

    name = "replay"
    price: Price | None = FREE
    parameters: Mapping[str, Any] = {"model": "replay"}

    def __init__(self, recording: Recording, options: ModelOptions) -> None:
        self._recording, self._render = recording, options.render
        self._secrets = secrets_of(options.settings)
        self._unused: dict[str, list[Line]] = {}
        # What the models that answered were set to, by request: a replayed request does not say.
        self._parameters: dict[str, dict[str, dict[str, Any]]] = {}
        for line in sorted(recording.lines, key=lambda line: line.n):
            self._unused.setdefault(line.key, []).append(line)
            self._parameters.setdefault(line.request, {})[digest(line.parameters)] = line.parameters

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> Replay:
        """Read the recording; raises WrongUse when it cannot be read, is none, or was edited."""
        if not argument:
            raise WrongUse("say which recording: --model replay:FILE; a run makes one with --record FILE")
        return cls(load(Path(argument).expanduser()), options)

    @staticmethod
    def anchored(argument: str) -> str:
        """The argument as it holds from any folder."""
        return str(Path(argument).expanduser().absolute())

    async def answer(self, request: Request[A]) -> Reply[A]:
        """The recorded answer; raises Missing, with the nearest recorded request, when there is none (left)."""
        prompt = self._render(request.name, request.context)
        text, schema = whole(scrubbed_prompt(prompt, self._secrets)), schema_hash(request.answer)
        known = self._parameters.get(request.name, {}).values()
        keys = [key_of(request.name, text, schema, parameters, request.seed) for parameters in known]
        line = self._take(keys, request.key)
        if line is None:
            raise Missing(self._unknown(request, text, schema, keys))
        return replied(line, request, prompt, self._recording.file)

    async def close(self) -> None:
        """Nothing to release."""

    def _take(self, keys: list[str], call: str) -> Line | None:
        waiting = [line for key in keys for line in self._unused.get(key, [])]
        line = next((line for line in waiting if line.call == call), waiting[0] if waiting else None)
        if line is not None:
            self._unused[line.key].remove(line)
        return line

    def _unknown(self, request: Request[Any], text: str, schema: str, keys: list[str]) -> str:
        used = [line for key in keys for line in self._recording.lines if line.key == key]
        said = f"the recording {self._recording.file} has no "
        if used:
            times = "answer" if len(used) == 1 else f"{len(used)} answers"
            return f"{said}further answer to {_named(request)}: its {times} to that request are used up{_MEND}"
        said += f"answer to {_named(request)}"
        nearest = _nearest(self._recording.lines, request, masked(text))
        if nearest is None:
            return f"{said}, nor to any other request{_MEND}"
        said += f"; the nearest is {nearest.request} {nearest.call!r}"
        if nearest.request == request.name and masked(nearest.whole_prompt) == masked(text):
            return f"{said}, which differs only in {_differences(nearest, request, schema)}{_MEND}"
        return f"{said}, whose prompt differs{_MEND}\n{_diff(masked(nearest.whole_prompt), masked(text))}"


_MEND = "; run it with the model it was made with and --record a new file"


def replied(line: Line, request: Request[A], prompt: Prompt, file: Path) -> Reply[A]:
    """What a line says to a request.

    Raises NoAnswer or ModelMistake where that was no answer, Missing when the answer does not fit.
    """
    if line.outcome == "mistake":
        raise ModelMistake(line.problem)
    if line.outcome != "answered":
        raise NoAnswer(line.problem, line.outcome, prompt=prompt)
    text = json.dumps(line.answer, ensure_ascii=False)
    try:
        return Reply(request.answer.model_validate_json(text), text, prompt)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Missing(
            f"the answer to {line.request} {line.call!r} in the recording {file} does not fit "
            f"({where}: {first['msg']}); mend it there, or record it anew"
        ) from error


def _named(request: Request[Any]) -> str:
    return f"{request.name} {request.key!r}"


def _nearest(lines: Sequence[Line], request: Request[Any], text: str) -> Line | None:
    """The most similar recorded request: one of the same name, if there is any."""
    asked = text.splitlines()

    def likeness(line: Line) -> tuple[float, bool]:
        # By lines: prompts are long, and to compare them by characters would take minutes.
        there = masked(line.whole_prompt).splitlines()
        return difflib.SequenceMatcher(None, there, asked, autojunk=False).ratio(), line.call == request.key

    same = [line for line in lines if line.request == request.name] or lines
    return max(same, key=likeness, default=None)


def _differences(line: Line, request: Request[Any], schema: str) -> str:
    found = []
    if line.seed != request.seed:
        found.append(f"its seed ({line.seed} there, {request.seed} here)")
    if line.schema_hash != schema:
        found.append("the schema of its answer")
    return " and ".join(found)


def _diff(there: str, here: str) -> str:
    lines = difflib.unified_diff(there.splitlines(), here.splitlines(), "recorded", "asked", n=1, lineterm="")
    shown = [line if len(line) <= _DIFF_WIDTH else line[: _DIFF_WIDTH - 1] + "…" for line in lines]
    more = [f"… and {len(shown) - _DIFF_LINES + 1} more lines"] if len(shown) > _DIFF_LINES else []
    return "\n".join(shown[: _DIFF_LINES - len(more)] + more)


PLUGIN = Replay
