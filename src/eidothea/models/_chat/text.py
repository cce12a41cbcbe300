"""Text on its way to a model and back: nothing a prompt or an answer may hold breaks a request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

A = TypeVar("A", bound=BaseModel)
Kind = Literal["prose", "broken", "shape", "limits"]

_FENCE = re.compile(r"```(?:json)?[ \t]*\r?\n(.*)\n[ \t]*```", re.DOTALL)
_STARTS = 20  # places tried as the start of an object within prose
_SHAPE = ("missing", "extra_forbidden", "literal_error", "enum", "_type", "_parsing")
# Lenient where servers are not: control characters may stand unescaped within strings.
_LENIENT = json.JSONDecoder(strict=False)


class Misfit(Exception):
    """A text that is no answer: `prose` has no JSON object at all, `broken` one that does not parse, `shape` one
    that a server which enforced the schema could not have written, `limits` one that only oversteps a bound."""

    def __init__(self, problem: str, kind: Kind) -> None:
        super().__init__(problem)
        self.kind = kind


def clean(text: str) -> str:
    """The text with surrogates that stand alone replaced: UTF-8 cannot hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def parsed(text: str, answer: type[A]) -> A:
    """The answer that a text holds, perhaps within prose or a fence; raises Misfit."""
    try:
        return answer.model_validate_json(text)
    except (ValidationError, UnicodeEncodeError):
        found = _object(text)
    if found is None:
        kind: Kind = "broken" if "{" in text else "prose"
        raise Misfit("there is no complete JSON object in it", kind)
    try:
        return answer.model_validate_json(json.dumps(found))
    except ValidationError as error:
        raise Misfit(_told(error), _kind(error)) from error


def holds_json(text: str) -> bool:
    """Whether a text holds a whole JSON object."""
    return _object(text) is not None


def _object(text: str) -> dict[str, Any] | None:
    for candidate in _candidates(text):
        try:
            found, _ = _LENIENT.raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return {clean(key): _cleaned(value) for key, value in found.items()}
    return None


def _candidates(text: str) -> Iterator[str]:
    """What may be the answer's object, the likeliest first: reasoning stands before it, fences and prose around it."""
    text = text.rpartition("</think>")[2]
    yield text.strip()
    if fenced := _FENCE.search(text):
        yield fenced[1].strip()
    start = -1
    for _ in range(_STARTS):
        start = text.find("{", start + 1)
        if start < 0:
            return
        yield text[start:]


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return value


def _told(error: ValidationError) -> str:
    problems = [f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}" for e in error.errors()[:8]]
    return clean("; ".join(problems))


def _kind(error: ValidationError) -> Kind:
    return "shape" if any(e["type"].endswith(_SHAPE) for e in error.errors()) else "limits"
