"""Recordings: JSON lines, a header first, then one request with its answer a line; keys, and how a file is read.

A line's key is a digest of the request's name, its prompt, its answer's schema and the model's parameters with the
seed. `n` counts the lines of one key, so that a request asked twice is answered in order. Two things are left out of
keys: decimal fractions in prompts, because what is measured differs in its last digits from one CPU to another and a
recording must replay on both; and the titles, descriptions and defaults of schemas, which do not change what fits.
An answer is no part of its key: it may be mended by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from eidothea.errors import WrongUse
from eidothea.models._scrub import scrub
from eidothea.state.answer import Outcome, Prompt
from eidothea.state.base import Value, digest

FORMAT = 1
MARK = "eidothea_recording"
_FRACTION = re.compile(r"(?<!\d)[+-]?\d++(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]\d+)")
_ANNOTATIONS = ("title", "description", "default", "examples")
_NAMED = ("properties", "$defs", "patternProperties")  # below these, keys are names and not keywords


class Line(Value):
    """One request and its answer; `call` is the request's key within its run, `schema_hash` its answer's schema."""

    call: str
    key: str
    n: int
    request: str
    agent: str
    parameters: dict[str, Any]
    seed: int
    system: str
    prompt: str
    schema_hash: str = Field(alias="schema")
    outcome: Outcome
    answer: dict[str, Any] | None = None
    problem: str = ""

    @property
    def whole_prompt(self) -> str:
        return whole(Prompt(self.system, self.prompt))


@dataclass(frozen=True)
class Recording:
    """A recording's header and lines, in the order of the file."""

    file: Path
    header: Mapping[str, Any]
    lines: tuple[Line, ...]


def masked(text: str) -> str:
    """The text with every decimal fraction as `#`; whole numbers stay."""
    return _FRACTION.sub("#", text)


def whole(prompt: Prompt) -> str:
    """System message and request as one text, as keys and comparisons see it."""
    return f"{prompt.system}\n\n{prompt.user}"


def scrubbed_prompt(prompt: Prompt, secrets: Sequence[str] = ()) -> Prompt:
    """The prompt as a recording holds it."""
    return Prompt(scrub(prompt.system, secrets), scrub(prompt.user, secrets))


def key_of(request: str, prompt: str, schema: str, parameters: Mapping[str, Any], seed: int) -> str:
    """The key of a request; `prompt` is the whole one, scrubbed."""
    return digest(request, masked(prompt), schema, dict(parameters), seed)


def schema_hash(answer: type[BaseModel]) -> str:
    """A digest of what fits an answer type."""
    return digest(_constraints(answer.model_json_schema()))


def _constraints(schema: Any, named: bool = False) -> Any:  # noqa: ANN401 - any part of a JSON schema
    if isinstance(schema, list):
        return [_constraints(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if named or key not in _ANNOTATIONS}
    return {key: _constraints(value, not named and key in _NAMED) for key, value in kept.items()}


def dump(value: Mapping[str, Any]) -> bytes:
    """One line of a recording."""
    return (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load(file: Path) -> Recording:
    """Read a recording; raises WrongUse, with the way on, for anything that is none."""
    try:
        head, *rows = file.read_bytes().split(b"\n")  # never splitlines: prompts may hold other line ends
    except OSError as error:
        raise WrongUse(f"the recording {file} cannot be read: {error.strerror or error}") from error
    header = read_header(file, head)
    torn = bool(rows) and rows[-1] != b""
    numbered = [(number, row) for number, row in enumerate(rows, 2) if row.strip()]
    lines = tuple(_line(file, number, row, torn and number == len(rows) + 1) for number, row in numbered)
    return Recording(file, header, lines)


def read_header(file: Path, head: bytes) -> dict[str, Any]:
    """The header; raises WrongUse when the file is no recording, or a newer one than is understood."""
    try:
        header = json.loads(head)
        number = int(header[MARK])
    except (ValueError, TypeError, KeyError):
        raise WrongUse(f"{file} is not a recording: a run makes one with --record FILE") from None
    if number > FORMAT:
        raise WrongUse(
            f"the recording {file} has format {number} and only {FORMAT} can be read here: install a newer Eidothea"
        )
    return dict(header)


def _line(file: Path, number: int, row: bytes, torn: bool) -> Line:
    try:
        line = Line.model_validate_json(row)
    except ValidationError as error:
        if torn:
            raise WrongUse(
                f"line {number} of the recording {file} is cut off: resume the run that makes it, or delete the line"
            ) from None
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the line"
        raise WrongUse(f"line {number} of the recording {file} is broken ({where}: {first['msg']})") from None
    if (line.outcome == "answered") != (line.answer is not None):
        raise WrongUse(f"line {number} of the recording {file} is broken (outcome {line.outcome!r} against its answer)")
    if line.key != key_of(line.request, line.whole_prompt, line.schema_hash, line.parameters, line.seed):
        raise WrongUse(
            f"line {number} of the recording {file} does not fit its key, so its request was edited: put it back as "
            "it was, or record the run anew with --record (only answers may be edited)"
        )
    return line
