"""GPUs of this machine: whole devices, each lent to one trial at a time, whichever process runs it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from eidothea.errors import Missing

PROGRAM = "nvidia-smi"
FOLDER = Path("/tmp/eidothea-gpus")  # one for all users and processes; a lock ends with its holder, however it dies
POLL_S, METER_S, ANSWER_S = 0.5, 2.0, 20.0
PATIENCE_S = 3600.0  # trials of other runs, or a model server, may hold the devices


def ask(*words: str) -> list[list[str]]:
    """The lines of one question to nvidia-smi, as fields. Raises Missing when it cannot answer."""
    command = [PROGRAM, *words, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S, check=False)
    except FileNotFoundError:
        raise Missing(f"no GPU is here ({PROGRAM} is not installed); install the NVIDIA driver") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{PROGRAM} does not answer: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[:1]
        raise Missing(f"{PROGRAM} cannot see a GPU: {''.join(said) or 'no reason given'}")
    return [[field.strip() for field in line.split(",")] for line in done.stdout.splitlines() if line.strip()]


def devices() -> list[str]:
    """The ids of all devices of this machine. Raises Missing without any."""
    return [fields[0] for fields in ask("--query-gpu=uuid")]


def busy() -> set[str]:
    """Devices on which somebody computes; of trials the locks tell, this tells of the rest of the machine."""
    return {fields[0] for fields in ask("--query-compute-apps=gpu_uuid")}


@contextlib.asynccontextmanager
async def lease(count: int) -> AsyncIterator[list[str]]:
    """So many devices that nobody uses, for as long as the block lasts; waits for them.

    Raises Missing when the machine does not have so many, or they do not get free.
    """
    if not count:
        yield []
        return
    locks = await _wait_for(count)
    try:
        yield list(locks)
    finally:
        for descriptor in locks.values():
            os.close(descriptor)


async def _wait_for(count: int) -> dict[str, int]:
    here = await asyncio.to_thread(devices)
    if len(here) < count:
        raise Missing(f"a trial of this task wants {count} GPUs and {len(here)} are here; choose another scale")
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        used = await asyncio.to_thread(busy)
        if locks := take([device for device in here if device not in used], count):
            return locks
        await asyncio.sleep(POLL_S)
    raise Missing(
        f"{count} of the {len(here)} GPUs here did not get free within {PATIENCE_S / 3600:g} h; see nvidia-smi"
    )


def take(free: Iterable[str], count: int) -> dict[str, int]:
    """The locks of so many of these devices as open descriptors, or none at all."""
    locks: dict[str, int] = {}
    for device in free:
        if len(locks) < count and (descriptor := lock(device)) is not None:
            locks[device] = descriptor
    if len(locks) == count:
        return locks
    for descriptor in locks.values():
        os.close(descriptor)
    return {}


def lock(device: str) -> int | None:
    """The lock of a device; None when somebody holds it. Raises Missing when there is no place for locks."""
    path = FOLDER / device
    try:
        with contextlib.suppress(FileExistsError):
            FOLDER.mkdir()
            FOLDER.chmod(0o1777)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:  # creating what another user has made is refused in such a folder
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT, 0o666)
            path.chmod(0o666)
    except OSError as error:
        raise Missing(f"GPUs cannot be shared out: {path}: {error.strerror}; remove {FOLDER}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class Meter(threading.Thread):
    """Looks at devices until it is stopped: the most memory that was in use, and the seconds they computed."""

    def __init__(self, watched: list[str]) -> None:
        super().__init__(name="gpu meter", daemon=True)
        self.watched, self.memory_mb, self.seconds = watched, 0.0, 0.0
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if self.watched:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self.watched:
            self.join()

    def run(self) -> None:
        before = time.monotonic()
        while not self._over.wait(METER_S):
            now = time.monotonic()
            with contextlib.suppress(Missing, ValueError):
                self.look(now - before)
            before = now

    def look(self, seconds: float) -> None:
        """Count the last so many seconds by how busy the devices are now."""
        ids = ",".join(self.watched)
        rows = ask(f"--id={ids}", "--query-gpu=memory.used,utilization.gpu")
        self.memory_mb = max(self.memory_mb, sum(float(memory) for memory, _ in rows))
        self.seconds += seconds * sum(float(load) for _, load in rows) / 100
