"""Waiting containers of one workspace: made one after the other in the background, each for one job."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eidothea.errors import Missing
from eidothea.protocols import Job
from eidothea.workspaces._docker import engine, staging
from eidothea.workspaces._docker.engine import Trouble
from eidothea.workspaces._docker.image import Image
from eidothea.workspaces._docker.ready import Ready

WAITING = 2  # of one image with the same limits
FAILURES = 3  # after so many in a row all jobs start cold
CLOSE_S = 30.0
PAUSE_S = 5.0
QUIET_S = 1.0  # since the last start of a job: an import would hold up one that is as short as that


@dataclass
class Shelf:
    """The waiting containers for jobs with one image and the same limits; `like` is one of those jobs."""

    image: Image
    like: Job
    place: Path
    ready: list[Ready] = field(default_factory=list)


class Pool:
    """All waiting containers of a workspace. Only the newest kind of job that was asked for is prepared for."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.stop = threading.Event()
        self.shelf: Shelf | None = None
        self.thread: threading.Thread | None = None
        self.failures = self.running = 0
        self.started = 0  # jobs that started warm
        self.trouble = ""
        self.taken_at = 0.0

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """While a job runs: nothing is prepared when all processors are taken."""
        with self.changed:
            self.running += 1
        try:
            yield
        finally:
            with self.changed:
                self.running -= 1
                self.changed.notify_all()

    def take(self, image: Image, job: Job) -> Ready | None:
        """A waiting container for a job; without one they are prepared from now on."""
        with self.changed:
            if self.stop.is_set() or self.failures >= FAILURES:
                return None
            old = None if self.shelf and _same(self.shelf, image, job) else self.shelf
            if self.shelf is None or old is not None:
                self.shelf = Shelf(image, job, staging.place(job))
            self.shelf.like, self.taken_at = job, time.monotonic()
            found = self.shelf.ready.pop(0) if self.shelf.ready else None
            if self.thread is None:
                self.thread = threading.Thread(target=self._prepare, name="warm containers", daemon=True)
                self.thread.start()
            self.changed.notify_all()
        self._discard(old)
        return found

    def give_back(self, ready: Ready) -> None:
        """Keep a container that was taken for a job which cannot use it."""
        with self.changed:
            kept = self.shelf is not None and self.shelf.image == ready.image and not self.stop.is_set()
            if kept and self.shelf is not None:
                self.shelf.ready.insert(0, ready)
        if not kept:
            discard(ready)

    def give_up(self, trouble: str) -> None:
        """Prepare nothing more: jobs cannot be put into waiting containers here."""
        with self.changed:
            self.failures, self.trouble = FAILURES, trouble
            shelf, self.shelf = self.shelf, None
            self.changed.notify_all()
        self._discard(shelf)

    @property
    def full(self) -> bool:
        """Whether all containers that should wait do, or none ever will."""
        with self.changed:
            ready = len(self.shelf.ready) if self.shelf else WAITING
            return ready == WAITING or self.failures >= FAILURES

    def _idle(self) -> bool:
        lacks = self.shelf is not None and len(self.shelf.ready) < WAITING
        return self.stop.is_set() or self.failures >= FAILURES or (lacks and self.running < (os.cpu_count() or 1))

    def _prepare(self) -> None:
        staging.sweep()
        while self.failures < FAILURES:
            with self.changed:
                self.changed.wait_for(self._idle)
                shelf = self.shelf
            while (rest := self.taken_at + QUIET_S - time.monotonic()) > 0 and not self.stop.is_set():
                self.stop.wait(rest)
            if self.stop.is_set() or shelf is None:
                return
            try:
                self._add(shelf)
            except (Trouble, Missing, OSError) as trouble:
                self.failures += 1
                self.trouble = str(trouble)
                self.stop.wait(PAUSE_S * self.failures)  # an engine may be about to come back

    def _add(self, shelf: Shelf) -> None:
        with engine.connect() as client:
            made = Ready(client, shelf.image, shelf.like, shelf.place)
            try:
                made.wait(client, self.stop)
            except BaseException:
                made.close(client)
                raise
            with self.changed:
                kept = shelf is self.shelf and not self.stop.is_set()
                if kept:
                    self.failures = 0
                    shelf.ready.append(made)
                    self.changed.notify_all()
            if not kept:
                made.close(client)

    def _discard(self, shelf: Shelf | None) -> None:
        for ready in shelf.ready if shelf else ():
            discard(ready)

    def close(self) -> None:
        """End all waiting containers."""
        self.stop.set()
        with self.changed:
            self.changed.notify_all()
            shelf, self.shelf = self.shelf, None
        self._discard(shelf)
        if self.thread is not None:
            self.thread.join(CLOSE_S)


def discard(ready: Ready) -> None:
    """Remove a waiting container; where the engine is gone it has ended by itself."""
    try:
        with engine.connect() as client:
            ready.close(client)
    except (Trouble, Missing):
        ready.close(None)


def _same(shelf: Shelf, image: Image, job: Job) -> bool:
    return (shelf.image.id, shelf.like.limits) == (image.id, job.limits)
