"""Filters for text that others wrote: it is shown as it is, and cannot pass for a part of the prompt."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from pydantic import BaseModel

# Bidirectional controls reorder what a person at the inbox reads, so that a title could pretend to be another.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def quoted(text: str, info: str = "text") -> str:
    """The text, unaltered, in a Markdown fence that is longer than any run of backticks in it.

    A newline is added where the text does not end with one.
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{fence}{info}\n{text}{end}{fence}"


def line(text: object) -> str:
    """A value on one line: white space and control characters become single spaces."""
    shown = (" " if unicodedata.category(c) == "Cc" else c for c in str(text) if c not in _BIDI)
    return " ".join("".join(shown).split())


def as_json(values: Sequence[BaseModel]) -> str:
    """Values as the JSON that an answer would hold them in."""
    return json.dumps([value.model_dump(mode="json") for value in values], ensure_ascii=False, indent=1)
