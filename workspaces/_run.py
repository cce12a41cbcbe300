"""Run a job's process to its end under watch: time, memory, processes, disk and log limits.

The job is supervised by a thread of its own. So its limits hold however busy the event loop is, and the thread that
started it (whose end would kill it, see `_launch.py`) lives exactly as long as it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import signal
import threading
import time
from io import FileIO
from typing import Protocol

from eidothea.protocols import Job
from eidothea.state.trial import Ending, Outcome, Usage
from eidothea.workspaces._cgroups import Groups, JobGroup
from eidothea.workspaces._docker.cgroup import Counters
from eidothea.workspaces._start import SETUP_FAILED, NotStarted, Order, Started, Starts
from eidothea.workspaces._watch import MAX_FILES, MB, Watch, folder_size

__all__ = ["Order", "run", "supervise"]

KILL_S = 15.0  # how long the kernel may take to remove a killed tree before we call it trouble of the machine
POLL_S = 0.1


class Supervised(Protocol):
    """What runs one job in a thread of its own; setting `stop` makes it kill the job and return."""

    stop: threading.Event

    def run(self) -> Ending: ...


async def run(job: Job, order: Starts, groups: Groups | None = None) -> Ending:
    """Run a process of this machine to the end; see `supervise`. With `groups` it gets a control group of its own."""
    return await supervise(Supervisor(job, order, groups), job.id)


async def supervise(supervisor: Supervised, name: str) -> Ending:
    """Run to the end. Cancelling kills the job, waits until all of it is gone, and raises CancelledError."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Ending] = loop.create_future()
    threading.Thread(target=_report, args=(supervisor, loop, done), name=f"job {name}", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        supervisor.stop.set()
        with contextlib.suppress(Exception):
            await asyncio.shield(done)
        raise


def _report(supervisor: Supervised, loop: asyncio.AbstractEventLoop, done: asyncio.Future[Ending]) -> None:
    try:
        ending = supervisor.run()
    except OSError as error:
        ending = Ending(outcome="infrastructure", detail=f"the job could not be started: {error}")
    except BaseException as error:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, done, error)
        return
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_settle, done, ending)


def _settle(done: asyncio.Future[Ending], result: Ending | BaseException) -> None:
    if done.done():
        return
    if isinstance(result, Ending):
        done.set_result(result)
    else:
        done.set_exception(result)


class Supervisor:
    """One job from start to end, in the calling thread; `stop` kills it."""

    def __init__(self, job: Job, order: Starts, groups: Groups | None = None) -> None:
        self.job, self.order, self.groups, self.stop = job, order, groups, threading.Event()
        self.selector = selectors.DefaultSelector()
        self.room = job.limits.output_mb * MB
        self.verdict: tuple[Outcome, str] | None = None
        self.group: JobGroup | None = None

    def run(self) -> Ending:
        """Start, watch and end the job; raises OSError when it cannot be started."""
        self.group = self.groups.make(self.job.limits) if self.groups else None
        started = time.monotonic()
        read_end, write_end = os.pipe()
        try:
            with self.job.stdout.open("wb", 0) as out, self.job.stderr.open("wb", 0) as err:
                try:
                    process = self.order.start(self.job, self.group.folders.values() if self.group else (), write_end)
                finally:
                    os.close(write_end)
                with process:
                    try:
                        self._follow(process, {"out": out, "err": err}, started)
                    except BaseException:  # a full disk, say: never leave a job without its watch
                        self._kill(process)
                        raise
            return self._ending(os.read(read_end, 4096), time.monotonic() - started)
        finally:
            os.close(read_end)
            self.selector.close()
            if self.group is not None:
                self.group.remove()

    def _follow(self, process: Started, logs: dict[str, FileIO], started: float) -> None:
        self._listen(process, logs)
        self.watch = Watch(process.pid, self.job.out, self.job.limits, self.order.sandboxed, process.holders)
        next_look = started + POLL_S
        while not process.ended():
            self._pump(POLL_S)
            now = time.monotonic()
            if self.stop.is_set():
                self._condemn("killed", "cancelled")
            elif now - started > self.job.seconds:
                self._condemn("timeout", f"ran longer than {self.job.seconds:g} s")
            elif self.verdict is None and now >= next_look:
                self.verdict = self._kernels_verdict() or self.watch.breach()
                # A long job is looked at less often, so that watching never costs more than a few per cent.
                next_look = time.monotonic() + (POLL_S if now - started < 5 else 2 * POLL_S)
            if self.verdict is not None:
                self._kill(process)
        while self._pump(0):
            pass

    def _kernels_verdict(self) -> tuple[Outcome, str] | None:
        return self.group.breach(self.job.limits) if self.group else None

    def _listen(self, process: Started, logs: dict[str, FileIO]) -> None:
        for stream, log in ((process.stdout, logs["out"]), (process.stderr, logs["err"])):
            os.set_blocking(stream, False)
            self.selector.register(stream, selectors.EVENT_READ, log)
        with contextlib.suppress(OSError, AttributeError):  # only there to wake up at once when the job ends
            self.selector.register(Pidfd(process.pid), selectors.EVENT_READ, None)

    def _pump(self, seconds: float) -> bool:
        """Move what the job has printed into its logs, up to their limit; whether there was anything."""
        moved = False
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                self.selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                continue
            chunk = os.read(key.fd, 1 << 16)
            if not chunk:
                self.selector.unregister(key.fileobj)
                continue
            moved = True
            key.data.write(chunk[: self.room])
            self.room -= len(chunk[: self.room])
            if not self.room:
                self._condemn("output", f"printed more than the limit of {self.job.limits.output_mb} MB")
        return moved

    def _condemn(self, outcome: Outcome, detail: str) -> None:
        if self.verdict is None:
            self.verdict = (outcome, detail)

    def _kill(self, process: Started) -> None:
        """Have the launcher kill everything, and wait until it has; then, at last, kill the launcher itself."""
        end = time.monotonic() + KILL_S
        while not process.ended() and time.monotonic() < end:
            process.terminate()
            with contextlib.suppress(OSError):
                self._pump(0.02)
            process.wait(0.05)
        process.kill()

    def _ending(self, report: bytes, wall_s: float) -> Ending:
        status, cpu_s, peak_kb, *said = report.split(maxsplit=3) if report else (b"-1", b"0", b"0")
        if int(status) == SETUP_FAILED and not self.verdict:
            raise NotStarted(b"".join(said).decode(errors="replace"))
        written, _ = folder_size(self.job.out, MAX_FILES)
        verdict = self.verdict or self._kernels_verdict() or self.watch.disk_breach()
        seen = self.group.seen if self.group else Counters()
        usage = Usage(
            wall_s=wall_s,
            cpu_s=max(float(cpu_s), self.watch.cpu_s, seen.cpu_s),  # of a killed tree only the watch knows
            peak_memory_mb=max(self.watch.peak_bytes / MB, int(peak_kb) / 1024, seen.peak_bytes / MB),
            written_mb=written / MB,
        )
        if verdict is not None:
            return Ending(outcome=verdict[0], detail=verdict[1], usage=usage)
        if int(status) < 0:
            return Ending(outcome="infrastructure", detail="the launcher was killed from outside", usage=usage)
        return _exited(os.waitstatus_to_exitcode(int(status)), usage, self.job.limits.memory_mb)


def _exited(code: int, usage: Usage, memory_mb: int) -> Ending:
    """An ending by itself. Death by signal n is exit code 128 + n, as shells and bwrap count."""
    number = -code if code < 0 else code - 128
    if number == signal.SIGKILL:
        starved = usage.peak_memory_mb > 0.9 * memory_mb
        return Ending(outcome="memory" if starved else "killed", detail="killed by SIGKILL", usage=usage)
    with contextlib.suppress(ValueError):
        return Ending(outcome="exited", exit_code=128 + number, detail=signal.Signals(number).name, usage=usage)
    return Ending(outcome="exited", exit_code=code, usage=usage)


class Pidfd:
    """A file that becomes readable when a process ends (pidfd_open(2))."""

    def __init__(self, pid: int) -> None:
        self.descriptor = os.pidfd_open(pid)

    def fileno(self) -> int:
        return self.descriptor

    def close(self) -> None:
        os.close(self.descriptor)
