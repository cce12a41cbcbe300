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
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from eidothea.protocols import Job
from eidothea.state.trial import Ending, Outcome, Usage
from eidothea.workspaces._command import rlimits
from eidothea.workspaces._watch import MAX_FILES, MB, Watch, folder_size

LAUNCHER = Path(__file__).with_name("_launch.py")
POLL_S = 0.1
KILL_S = 15.0  # how long the kernel may take to remove a killed tree before we call it trouble of the machine


@dataclass(frozen=True)
class Order:
    """What is started for a job: the words to execute, their environment, and descriptors they inherit."""

    words: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    keep: tuple[int, ...] = ()


async def run(job: Job, order: Order) -> Ending:
    """Run to the end. Cancelling kills the job, waits until all of it is gone, and raises CancelledError."""
    supervisor = Supervisor(job, order)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Ending] = loop.create_future()
    threading.Thread(target=_report, args=(supervisor, loop, done), name=f"job {job.id}", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        supervisor.stop.set()
        with contextlib.suppress(Exception):
            await asyncio.shield(done)
        raise


def _report(supervisor: Supervisor, loop: asyncio.AbstractEventLoop, done: asyncio.Future[Ending]) -> None:
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

    def __init__(self, job: Job, order: Order) -> None:
        self.job, self.order, self.stop = job, order, threading.Event()
        self.selector = selectors.DefaultSelector()
        self.room = job.limits.output_mb * MB
        self.verdict: tuple[Outcome, str] | None = None

    def run(self) -> Ending:
        """Start, watch and end the job; raises OSError when it cannot be started."""
        started = time.monotonic()
        read_end, write_end = os.pipe()
        try:
            with self.job.stdout.open("wb", 0) as out, self.job.stderr.open("wb", 0) as err:
                try:
                    process = self._start(write_end)
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

    def _start(self, report: int) -> subprocess.Popen[bytes]:
        limits = [f"{name}={value}" for name, value in rlimits(self.job.limits).items()]
        environment = [f"{name}={value}" for name, value in self.order.environment.items()]
        words = [str(os.getpid()), str(report), self.order.folder, *limits, "--", *environment, "--", *self.order.words]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(report, *self.order.keep),
            env={},
            start_new_session=True,
        )

    def _follow(self, process: subprocess.Popen[bytes], logs: dict[str, FileIO], started: float) -> None:
        self._listen(process, logs)
        self.watch = Watch(process.pid, self.job.out, self.job.limits)
        next_look = started + POLL_S
        while process.poll() is None:
            self._pump(POLL_S)
            now = time.monotonic()
            if self.stop.is_set():
                self._condemn("killed", "cancelled")
            elif now - started > self.job.seconds:
                self._condemn("timeout", f"ran longer than {self.job.seconds:g} s")
            elif self.verdict is None and now >= next_look:
                self.verdict = self.watch.breach()
                # A long job is looked at less often, so that watching never costs more than a few per cent.
                next_look = time.monotonic() + (POLL_S if now - started < 5 else 2 * POLL_S)
            if self.verdict is not None:
                self._kill(process)
        while self._pump(0):
            pass

    def _listen(self, process: subprocess.Popen[bytes], logs: dict[str, FileIO]) -> None:
        for stream, log in ((process.stdout, logs["out"]), (process.stderr, logs["err"])):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
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

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """Have the launcher kill everything, and wait until it has; then, at last, kill the launcher itself."""
        end = time.monotonic() + KILL_S
        while process.poll() is None and time.monotonic() < end:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):
                self._pump(0.02)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.kill()

    def _ending(self, report: bytes, wall_s: float) -> Ending:
        status, cpu_s, peak_kb = report.split() if report else (b"-1", b"0", b"0")
        written, _ = folder_size(self.job.out, MAX_FILES)
        usage = Usage(
            wall_s=wall_s,
            cpu_s=max(float(cpu_s), self.watch.cpu_s),  # of a killed tree only the watch knows
            peak_memory_mb=max(self.watch.peak_bytes / MB, int(peak_kb) / 1024),
            written_mb=written / MB,
        )
        verdict = self.verdict or self.watch.disk_breach()
        if verdict is not None:
            return Ending(outcome=verdict[0], detail=verdict[1], usage=usage)
        if int(status) == -1:
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
