"""A server program of our own: started at the first need, watched, started again once when it dies, always stopped."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from eidothea.errors import Missing

if TYPE_CHECKING:
    import httpx2

KEEPER = Path(__file__).with_name("_keeper.py")
GRACE_S = 10.0  # between asking the server to stop and killing it
POLL_S = 0.2
RESTARTS = 1
_ERROR = re.compile(r"\b[\w.]*(?:Error|Exception): .+")


@dataclass(frozen=True)
class Program:
    """What is started: `command` gets the port, `start_setting` names what to raise when it starts too slowly."""

    name: str
    command: Callable[[int], Sequence[str]]
    environment: Mapping[str, str]
    start_s: float
    start_setting: str
    grace_s: float = field(default_factory=lambda: GRACE_S)
    tell_s: float = 10.0


class Server:
    """One server, shared by all who ask for its address."""

    def __init__(self, program: Program, tell: Callable[[str], None]) -> None:
        self.program, self._tell = program, tell
        self._lock = asyncio.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._port = 0
        self._answers = False
        self._starts = 0
        self._lost = ""

    async def address(self) -> str:
        """`http://127.0.0.1:PORT`, once the server answers there.

        Raises Missing when it ends while it starts, takes too long to start, or has died twice.
        """
        if self._answers and await self._listens():
            return self._address
        async with self._lock:
            try:
                await self._bring_up()
            except Missing as error:
                self._lost = str(error)
                raise
            return self._address

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Stop the server and everything it started. Its log goes too, unless the server was lost."""
        self._lost = self._lost or f"{self.program.name} was stopped"
        if self._child is not None:
            await self._stop(self._child)
            self._child = None
            if self._folder is not None and self._starts == 1 and self._answers:
                shutil.rmtree(self._folder, ignore_errors=True)

    async def _bring_up(self) -> None:
        if self._lost:  # it was tried: the next to ask need not wait for the same end
            raise Missing(self._lost)
        if self._child is not None and self._answers and not await self._listens():
            await self._stop(self._child)
            self._died(self._child.returncode)
        if self._child is None:
            self._start()
        await self._until_it_answers()

    async def _listens(self) -> bool:
        """Whether the server takes connections: that tells of its death before its keeper does."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        return True

    def _died(self, code: int | None) -> None:
        self._child, self._answers = None, False
        if self._starts > RESTARTS:
            raise Missing(f"{self.program.name} died again ({_ending(code)}); {self._last_words()}")
        self._tell(f"{self.program.name} died ({_ending(code)}) and is started again; its log is {self._log}")

    def _start(self) -> None:
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="eidothea-server-"))
        self._port = _free_port()
        command = [sys.executable, "-I", str(KEEPER), str(self.program.grace_s), *self.program.command(self._port)]
        self._starts += 1
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.program.environment),
                start_new_session=True,
            )
        self._tell(f"{self.program.name} is starting at {self._address}; its log is {self._log}")

    async def _until_it_answers(self) -> None:
        """Wait for GET /health. A caller that is cancelled here leaves the server starting for the next one."""
        import httpx2

        since = told = time.monotonic()
        async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as client:
            while not await _healthy(client, self._address):
                now = time.monotonic()
                if (code := self._ended()) is not None:
                    raise Missing(
                        f"{self.program.name} ended ({_ending(code)}) before it answered; {self._last_words()}"
                    )
                if now - since > self.program.start_s:
                    await self._too_slow()
                if now - told >= self.program.tell_s:
                    told = now
                    self._tell(f"{self.program.name} is starting, {now - since:.0f} s so far: {self._newest_line()}")
                await asyncio.sleep(POLL_S)
        self._answers = True

    async def _too_slow(self) -> None:
        if self._child is not None:
            await self._stop(self._child)
        raise Missing(
            f"{self.program.name} did not answer within {self.program.start_s:g} s "
            f"({self.program.start_setting} gives it longer); {self._last_words()}"
        )

    async def _stop(self, child: subprocess.Popen[bytes]) -> None:
        _let_go(child)
        try:
            await asyncio.to_thread(child.wait, self.program.grace_s + 10)
        except subprocess.TimeoutExpired:
            self._tell(f"{self.program.name} (process {child.pid}) cannot be stopped; end it by hand")

    def _ended(self) -> int | None:
        return None if self._child is None else self._child.poll()

    @property
    def _log(self) -> Path:
        assert self._folder is not None
        return self._folder / "server.log"

    def _lines(self) -> list[str]:
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 200_000))
            return [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]

    def _newest_line(self) -> str:
        return (self._lines() or ["nothing in its log yet"])[-1][:200]

    def _last_words(self) -> str:
        """What the log tells about an end: vLLM's first error is the cause, its last only says that there was one."""
        lines = self._lines()
        cause = next((found[0][:400] for line in lines if (found := _ERROR.search(line))), "")
        tail = "\n".join(line[:300] for line in lines[-12:])
        return f"{f'the first error is {cause!r}; ' if cause else ''}its log {self._log} ends:\n{tail}"


def _let_go(child: subprocess.Popen[bytes]) -> None:
    """End the pipe to the keeper: its order to stop what still runs."""
    if child.stdin is not None:
        child.stdin.close()


async def _healthy(client: httpx2.AsyncClient, address: str) -> bool:
    import httpx2

    try:
        return (await client.get(f"{address}/health")).status_code == 200
    except httpx2.TransportError:
        return False


def _ending(code: int | None) -> str:
    if code is None:
        return "it no longer listens"
    return f"killed by signal {code - 128}" if code > 128 else f"exit code {code}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
