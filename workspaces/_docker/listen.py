"""Hear what a container says through its pipes, and when it is over."""

from __future__ import annotations

import math
import os
import selectors
import threading
from collections.abc import Callable
from io import FileIO
from types import TracebackType
from typing import Self

from eidothea.errors import Missing
from eidothea.workspaces._docker import engine
from eidothea.workspaces._docker.engine import Trouble
from eidothea.workspaces._docker.pipes import Pipes


class Waiter(threading.Thread):
    """Waits for a container to end. When it has, or the engine is lost, the pipe `ended` closes."""

    def __init__(self, identifier: str, seconds: float) -> None:
        super().__init__(name=f"container {identifier[:12]}", daemon=True)
        self.identifier, self.seconds = identifier, seconds
        self.ended, self._hold = os.pipe()
        self.status: int | None = None
        self.error = "Docker never said how the container ended"
        self.start()

    def run(self) -> None:
        try:
            with engine.connect() as client, engine.asking("tell how the container ended"):
                self.status = int(client.wait(self.identifier, timeout=math.ceil(self.seconds))["StatusCode"])
        except (Trouble, Missing) as error:
            self.error = str(error)
        finally:
            os.close(self._hold)


class Listener:
    """Writes what the candidate prints to its logs, up to their limit; calls `at_the_end` when it has ended.

    `heard` says whether the candidate's output was ever connected, `full` whether it is over the limit, `over` whether
    the container is gone.
    """

    def __init__(
        self, logs: dict[str, FileIO], room: int, pipes: Pipes, ended: int, at_the_end: Callable[[], object]
    ) -> None:
        self.heard = self.full = self.over = False
        self._logs, self._room = logs, room
        self._pipes, self._ended, self._at_the_end = pipes, ended, at_the_end
        self._selector = selectors.DefaultSelector()
        for name in (*self._logs, "done"):
            self._selector.register(pipes.open[name], selectors.EVENT_READ, name)
        self._selector.register(ended, selectors.EVENT_READ, "ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        os.close(self._ended)

    def hear(self, seconds: float) -> bool:
        """Wait so long for something to be said; whether there was anything."""
        said = False
        for key, _ in self._selector.select(seconds):
            try:
                chunk = os.read(key.fd, 1 << 16)
            except BlockingIOError:
                continue
            said = said or bool(chunk)
            if not chunk or key.data == "done":  # of an empty read: nobody holds the other end any more
                self._selector.unregister(key.fd)
            self._take(key.data, chunk)
        return said

    def _take(self, name: str, chunk: bytes) -> None:
        if name == "ended":
            self.over = True
        elif name == "done":
            self._at_the_end()
            self._pipes.release()
        else:
            self.heard = True
            self._keep(self._logs[name], chunk)

    def _keep(self, log: FileIO, chunk: bytes) -> None:
        log.write(chunk[: self._room])
        self._room -= len(chunk[: self._room])
        self.full = self.full or not self._room
