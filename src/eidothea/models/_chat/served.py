"""Where a chat model is served, and how it is reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Schema = dict[str, Any]


async def _nothing() -> None: ...


def _unchanged(schema: Schema) -> Schema:
    return schema


@dataclass(frozen=True)
class Served:
    """A model on a server.

    `model` is its name on the wire. `endpoint` names the server: limits, and what it was found to understand, are
    shared by all models of the same endpoint in the process. `connect` is awaited before every try: it starts the
    server if need be, starts it again when it died, and raises Missing when that cannot be done; made with
    `max_retries=0`. `close` is awaited once. `shape` may change the JSON schema that is sent (never the one that
    answers are checked against), and `constrain` gives the fields of a request that hold an answer to that schema
    where the server has a better way than `response_format`. `at_once` overrides the setting `requests_at_once`. `key`
    is what to mend when the server refuses the key.
    """

    model: str
    endpoint: str
    connect: Callable[[], Awaitable[AsyncOpenAI]]
    close: Callable[[], Awaitable[None]] = _nothing
    shape: Callable[[Schema], Schema] = _unchanged
    constrain: Callable[[Schema], dict[str, Any]] | None = None
    at_once: int = 0
    key: str = "OPENAI_API_KEY"
