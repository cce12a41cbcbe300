"""The servers of warm starts on this machine's side: started in the background, one for each environment of jobs."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

READY_S = 120.0  # a server that has not imported everything by then never will
STARTED_S = 20.0
CLOSE_S = 10.0
FAILURES = 3  # after so many in a row all jobs start cold
Words = Callable[[Mapping[str, str], int], list[str]]


class Server:
    """One server process. It lives until `close`, or until this process ends, however that ends."""

    def __init__(self, words: Words, environment: Mapping[str, str]) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.modules: frozenset[str] = frozenset()
        self.trouble, self.ready, self.pid = "", threading.Event(), 0
        # bwrap dies with the thread that started it (see `_launch.py`), so that thread stays.
        self.thread = threading.Thread(target=self._live, args=(words, environment, theirs), name="warm", daemon=True)
        self.thread.start()

    @property
    def usable(self) -> bool:
        return self.ready.is_set() and not self.trouble

    def _live(self, words: Words, environment: Mapping[str, str], theirs: socket.socket) -> None:
        try:
            with theirs:
                process = subprocess.Popen(
                    words(environment, theirs.fileno()),
                    env={},  # the first process inside shows its own to the sandbox
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            self.pid = process.pid
            with process:
                self._greet()
                self.ready.set()
                process.wait()
                assert process.stdout is not None
                self.trouble = self.trouble or process.stdout.read(2000).decode(errors="replace").strip()
        except (OSError, ValueError) as error:
            self.trouble = self.trouble or str(error)
        self.trouble = self.trouble or "it has ended"
        self.ready.set()

    def _greet(self) -> None:
        """Wait until it has imported everything."""
        self.ours.settimeout(READY_S)
        said = self.ours.recv(1 << 20)
        if not said:
            return
        condition: dict[str, Any] = json.loads(said)
        if condition["shared"]:
            self.trouble = f"memory would be shared between jobs: {', '.join(condition['shared'])}"
        self.modules = frozenset(condition["modules"])

    def launch(self, order: Mapping[str, object], descriptors: list[int]) -> int:
        """Have it start a job; returns the launcher's process. Raises OSError when it does not."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with mine, theirs:
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            mine.settimeout(STARTED_S)
            text = json.dumps(order).encode()
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(text))
            socket.send_fds(mine, [text], descriptors)
            socket.send_fds(self.ours, [b"job"], [theirs.fileno()])
            theirs.close()
            said, extra, _, _ = mine.recvmsg(64, socket.CMSG_SPACE(12))
        for level, kind, data in extra:
            if said and level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                return int.from_bytes(data[:4], "little")
        raise OSError("the server of warm starts did not answer")

    def close(self) -> None:
        """End it and all its jobs."""
        end = time.monotonic() + CLOSE_S
        while self.thread.is_alive() and time.monotonic() < end:
            self._kill()
            self.thread.join(0.05)
        self.ours.close()

    def _kill(self) -> None:
        """Kill the first process inside: the kernel then kills all others, and bwrap ends when they are gone."""
        with contextlib.suppress(psutil.Error):
            for first in psutil.Process(self.pid).children() if self.pid else ():
                first.kill()


class Pool:
    """The servers of one workspace."""

    def __init__(self, words: Words) -> None:
        self.words, self.lock = words, threading.Lock()
        self.servers: dict[tuple[tuple[str, str], ...], Server] = {}
        self.failures = 0  # one after the other
        self.trouble = ""

    def server(self, environment: Mapping[str, str], wait: bool = False) -> Server | None:
        """The server for jobs with this environment when it is ready; else it is being started, or cannot be had."""
        key = tuple(sorted(environment.items()))
        with self.lock:
            found = self.servers.get(key)
            if found is not None and found.ready.is_set() and found.trouble:
                self.failed(found.trouble)
                self.servers.pop(key).close()
                found = None
            if found is None and self.failures < FAILURES:
                found = self.servers[key] = Server(self.words, environment)
        if found is not None and wait:
            found.ready.wait(READY_S)
        return found if found is not None and found.usable and self.failures < FAILURES else None

    def failed(self, trouble: str) -> None:
        """Remember that a warm start, or a server, did not work."""
        self.failures += 1
        self.trouble = trouble

    def close(self) -> None:
        with self.lock:
            while self.servers:
                self.servers.popitem()[1].close()


def shadowed(tree: Path, script: str, modules: frozenset[str]) -> str:
    """The name in a script's folder that would stand for a module which a warm start has imported; empty for none."""
    with os.scandir((tree / script).parent) as entries:
        return next((entry.name for entry in entries if entry.name.partition(".")[0] in modules), "")
