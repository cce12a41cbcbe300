"""A fake OpenAI-compatible server that plays a script over real HTTP, faults included.

`async with LlmServer(says("…"), status(500), …) as server:` serves at `server.url` and plays one entry a request. A
function of the request's body may stand in the place of a script. `python llm_server.py SECONDS PARTS` prints its
address and serves everybody the same answer after about so many seconds, in so many parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass
class Exchange:
    """One request, and the way back."""

    body: Body
    headers: dict[str, str]
    writer: asyncio.StreamWriter
    sent: list[bytes] = field(default_factory=list)

    async def head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Said"] + [f"{name}: {value}" for name, value in headers.items()]
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, value: Any) -> None:
        await self.chunk(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())

    async def whole(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        base = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        await self.head(status, base | (headers or {}))
        await self.write(body)

    async def reset(self) -> None:
        """Break the connection as a crashed server does."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Play = Callable[[Exchange], Awaitable[None]]
STREAM = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
SILENCE = 30.0  # longer than any test waits


def usage(input: int, output: int, cached: int = 0) -> Body:
    return {
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def says(
    text: str | None,
    finish: str = "stop",
    *,
    tokens: Body | None = None,
    refusal: str | None = None,
    thoughts: str = "",
    before_s: float = 0.0,
    streams: bool = True,
    parts: int = 4,
) -> Play:
    """The model's answer: streamed or whole and as content or tool call, as the request asks."""

    async def play(exchange: Exchange) -> None:
        await asyncio.sleep(before_s)
        counted = usage(10, 3) if tokens is None else tokens
        if not exchange.body.get("stream") or not streams:
            message = {"role": "assistant", "refusal": refusal} | _message(exchange.body, text)
            choice = {"index": 0, "message": message, "finish_reason": finish}
            await exchange.whole(
                200, json.dumps(_named("chat.completion") | {"choices": [choice], "usage": counted}).encode()
            )
            return
        await exchange.head(200, STREAM)
        if thoughts:
            await exchange.event(delta({"reasoning_content": thoughts}))
        for part in _parts(text or "", parts):
            await exchange.event(delta(_message(exchange.body, part)))
        if refusal:
            await exchange.event(delta({"refusal": refusal}))
        await exchange.event(delta({}, finish))
        if (exchange.body.get("stream_options") or {}).get("include_usage") and counted:
            await exchange.event(_named("chat.completion.chunk") | {"choices": [], "usage": counted})
        await exchange.event("[DONE]")
        await exchange.chunk(b"")

    return play


def status(code: int, error: Body | None = None, **headers: str) -> Play:
    """An error; header names have `_` for `-`."""

    async def play(exchange: Exchange) -> None:
        body = json.dumps({"error": {"message": f"error {code}"} | (error or {})}).encode()
        await exchange.whole(code, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return play


def silent() -> Play:
    """Nothing at all."""

    async def play(exchange: Exchange) -> None:
        await asyncio.sleep(SILENCE)

    return play


def breaks_off(text: str, how: str) -> Play:
    """A stream that begins with the text, and then: `stalls`, `resets`, or `ends` without saying so."""

    async def play(exchange: Exchange) -> None:
        await exchange.head(200, STREAM)
        for part in _parts(text):
            await exchange.event(delta({"content": part}))
        if how == "stalls":
            await asyncio.sleep(SILENCE)
        elif how == "resets":
            await exchange.reset()
        else:
            await exchange.chunk(b"")

    return play


def resets() -> Play:
    """The connection breaks before anything is said."""
    return Exchange.reset


def raw(body: bytes, content_type: str = "application/json", code: int = 200) -> Play:
    """Just these bytes."""

    async def play(exchange: Exchange) -> None:
        await exchange.whole(code, body, {"Content-Type": content_type})

    return play


def floods(size: int, *, streamed: bool) -> Play:
    """An answer of so many bytes."""

    async def play(exchange: Exchange) -> None:
        if not streamed:
            await says("x" * size, streams=False)(exchange)
            return
        await exchange.head(200, STREAM)
        event = f"data: {json.dumps(delta({'content': 'x' * 50_000}))}\n\n".encode()
        for _ in range(size // 50_000):
            await exchange.chunk(event)
        await exchange.event("[DONE]")
        await exchange.chunk(b"")

    return play


def delta(message: Body, finish: str | None = None) -> Body:
    choice = {"index": 0, "delta": message, "finish_reason": finish}
    return _named("chat.completion.chunk") | {"choices": [choice]}


def _named(kind: str) -> Body:
    return {"id": "c-1", "object": kind, "created": 0, "model": "m"}


def _message(body: Body, text: str | None) -> Body:
    if "tools" in body and text is not None:
        function = {"name": body["tools"][0]["function"]["name"], "arguments": text}
        return {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]}
    return {"content": text}


def _parts(text: str, parts: int = 4) -> list[str]:
    step = max(1, len(text) // parts)
    return [text[start : start + step] for start in range(0, len(text), step)]


class LlmServer:
    """The fake server; `requests` and `headers` keep what came, `models` is what it lists (None: no list)."""

    def __init__(self, *script: Play, play: Callable[[Body], Play] | None = None) -> None:
        self.script, self.play = list(script), play
        self.requests: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.models: list[str] | None = ["m"]
        self.at_once = self.most_at_once = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> LlmServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while head := await _head(reader):
                await self._answer(head, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(self, head: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        if head[0].startswith("GET"):
            listed = {"object": "list", "data": [{"id": m, "object": "model"} for m in self.models or ()]}
            await Exchange({}, headers, writer).whole(
                200 if self.models is not None else 404, json.dumps(listed).encode()
            )
            return
        body: Body = json.loads(content)
        self.requests.append(body)
        self.headers.append(headers)
        over = status(418, {"message": "the script is over"})
        play = self.play(body) if self.play else self.script.pop(0) if self.script else over
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await play(Exchange(body, headers, writer))
        finally:
            self.at_once -= 1


async def _head(reader: asyncio.StreamReader) -> list[str]:
    with contextlib.suppress(asyncio.IncompleteReadError):
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    return []


async def _forever(seconds: float, parts: int) -> None:
    text = json.dumps({"number": 7, "note": "x" * 90})

    def play(body: Body) -> Play:
        # Between half and one and a half times as long, by the seed: answers that all come at once would queue.
        return says(text, before_s=seconds * (0.5 + body["seed"] * 37 % 100 / 100), parts=parts)

    async with LlmServer(play=play) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_forever(float(sys.argv[1]), int(sys.argv[2])))
