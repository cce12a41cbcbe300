"""A Docker engine that can be lost and found again: a socket that passes everything on to the real one."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

ENGINE = "/var/run/docker.sock"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[Path]:
    """A socket with a short path, as the kernel wants, on which `serve` answers."""
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
        path = Path(folder, "docker.sock")
        server = await asyncio.start_unix_server(serve, path)
        try:
            yield path
        finally:
            server.close()
            await server.wait_closed()


class Proxy:
    """`lost` makes it break off everything and refuse whatever comes."""

    def __init__(self) -> None:
        self.lost = False
        self.writers: set[asyncio.StreamWriter] = set()

    def lose(self) -> None:
        self.lost = True
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.lost:
            writer.transport.abort()
            return
        there, back = await asyncio.open_unix_connection(ENGINE)
        self.writers |= {writer, back}
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer))
        finally:
            self.writers -= {writer, back}
            for end in (writer, back):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass on until one end closes, then close the other."""
    with contextlib.suppress(OSError):
        while chunk := await source.read(1 << 16):
            target.write(chunk)
            await target.drain()
    target.close()


def saying(answer: bytes) -> Serve:
    """A server that gives every request the same answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(answer)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that takes requests and never answers."""
    with contextlib.suppress(OSError):
        while await reader.read(1 << 16):
            pass
    writer.close()
