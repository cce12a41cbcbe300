"""Listen to one answer, as a stream or in one piece, with a limit on its size and on every silence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eidothea.models._chat.text import holds_json
from eidothea.models._chat.trouble import Again, Spoken

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MOST_BYTES = 2_000_000  # of an answer's text
_MOST_READ = 4 * MOST_BYTES  # of what carries it
_DRAIN_S = 0.1


@dataclass
class Heard:
    """What has come so far. `size` counts the bytes of all that the model wrote, thoughts included; `cut` says that
    the text ends where a limit was, not where the model did; tokens are None until the server has counted them."""

    text: str = ""
    refusal: str = ""
    finish: str = ""
    size: int = 0
    input: int | None = None
    cached: int = 0
    output: int | None = None
    cut: bool = False


async def hear(client: AsyncOpenAI, body: dict[str, Any], first_s: float, idle_s: float, heard: Heard) -> None:
    """Send a request and listen to its end.

    `heard` is filled as the answer comes, so that it also says how far one came that broke off. Raises Again for a
    silence that is too long and for an answer that breaks off, Spoken for an error that came in the place of an
    answer, and the errors of the openai package.
    """
    async with (
        _no_silence(first_s, idle_s) as touch,
        client.chat.completions.with_streaming_response.create(**body) as response,
    ):
        pieces = response.iter_bytes()
        if "text/event-stream" in response.headers.get("content-type", ""):
            await _streamed(pieces, heard, touch)
        else:
            await _whole(pieces, heard, touch)
    heard.cut = heard.cut or heard.finish == "length"


class _Touch:
    """Called whenever something has come."""

    def __init__(self, limit: asyncio.Timeout, idle_s: float) -> None:
        self._limit, self._idle_s = limit, idle_s
        self._now = asyncio.get_running_loop().time
        self.touched = False

    def __call__(self) -> None:
        self.touched = True
        self._limit.reschedule(self._now() + self._idle_s)


@asynccontextmanager
async def _no_silence(first_s: float, idle_s: float) -> AsyncIterator[_Touch]:
    limit = asyncio.timeout(first_s)
    touch = _Touch(limit, idle_s)
    try:
        async with limit:
            yield touch
    except TimeoutError as error:
        if not limit.expired():
            raise
        waited = f"{idle_s:g} s within its answer" if touch.touched else f"{first_s:g} s"
        raise Again(f"the server was silent for {waited}") from error


async def _streamed(pieces: AsyncIterator[bytes], heard: Heard, touch: _Touch) -> None:
    words: list[str] = []
    calls: list[str] = []
    ended = False
    try:
        async for data in _events(pieces):
            touch()
            if ended := data == b"[DONE]":
                break
            if heard.cut:
                continue
            _chunk(_object(data), heard, words, calls)
            heard.cut = heard.size > MOST_BYTES
    except TooLarge:
        heard.cut = True
    finally:
        heard.text = "".join(calls) or "".join(words)
    if ended:
        await _drain(pieces)
    if not (heard.finish or heard.cut or holds_json(heard.text)):
        raise Again("the stream ended within the answer")


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what is left of an answer that has ended, so that its connection can be used again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in pieces:
                pass


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of server-sent events. Only line feeds end a line here: JSON may hold the other separators."""
    rest, read = b"", 0
    async for piece in _pieces(pieces):
        read += len(piece)
        if read > _MOST_READ:
            raise TooLarge
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()
    if rest.startswith(b"data:"):
        yield rest[5:].strip()


async def _pieces(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    import httpx2

    try:
        async for piece in pieces:
            yield piece
    except httpx2.HTTPError as error:
        raise Again(f"the connection broke within the answer ({error or type(error).__name__})") from error


class TooLarge(Exception):
    """More has come than any answer may have."""


def _object(data: bytes | bytearray) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        start = bytes(data[:80]).decode(errors="replace")
        raise Again(f"the server answered with something that is no JSON object: {start!r}")
    return found


def _chunk(chunk: dict[str, Any], heard: Heard, words: list[str], calls: list[str]) -> None:
    if chunk.get("error"):
        raise Spoken(chunk["error"])
    _count(chunk.get("usage"), heard)
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") or {}
        heard.finish = choice.get("finish_reason") or heard.finish
        words.append(delta.get("content") or "")
        calls.extend(_calls(delta))
        heard.refusal += delta.get("refusal") or ""
        heard.size += _size(delta)


async def _whole(pieces: AsyncIterator[bytes], heard: Heard, touch: _Touch) -> None:
    body = bytearray()
    async for piece in _pieces(pieces):
        touch()
        body += piece
        if len(body) > _MOST_READ:
            heard.cut, heard.size = True, len(body)
            return
    found = _object(body)
    _count(found.get("usage"), heard)
    choices = found.get("choices")
    if not choices:
        raise Spoken(found.get("error") or found)
    message = choices[0].get("message") or {}
    heard.text = "".join(_calls(message)) or message.get("content") or ""
    heard.refusal = message.get("refusal") or ""
    heard.finish = choices[0].get("finish_reason") or "stop"
    heard.size = _size(message)
    heard.cut = heard.size > MOST_BYTES


def _calls(message: Mapping[str, Any]) -> list[str]:
    functions = (call.get("function") or {} for call in message.get("tool_calls") or ())
    return [function.get("arguments") or "" for function in functions]


def _count(usage: Mapping[str, Any] | None, heard: Heard) -> None:
    if not usage or not isinstance(usage.get("prompt_tokens"), int):
        return
    heard.input, heard.output = usage["prompt_tokens"], usage.get("completion_tokens") or 0
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    heard.cached = min(cached, usage["prompt_tokens"])


def _size(message: Mapping[str, Any]) -> int:
    """Bytes of what the model wrote, under whatever name: thoughts have several."""
    written = [text for name, text in message.items() if name != "role" and isinstance(text, str)] + _calls(message)
    return sum(len(text) if text.isascii() else len(text.encode(errors="replace")) for text in written)
