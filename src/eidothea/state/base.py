"""Base classes of the state: values are frozen and refuse unknown fields."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value; two equal values are interchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def digest(*parts: Any, length: int = 16) -> str:  # noqa: ANN401 - anything JSON can hold
    """A stable hexadecimal digest of JSON-able parts (and pydantic values).

    The same parts give the same digest on every machine: it keys ledger rows, caches and seeds.
    """
    plain = [part.model_dump(mode="json") if isinstance(part, BaseModel) else part for part in parts]
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def derived_seed(*parts: Any) -> int:  # noqa: ANN401 - see digest
    """A 31-bit seed derived from parts, so that nothing depends on the order in which work is done."""
    return int(digest(*parts, length=8), 16) & 0x7FFFFFFF
