"""Start the launcher of a job; what a supervisor needs of a started one."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eidothea.protocols import Job
from eidothea.workspaces._command import rlimits

LAUNCHER = Path(__file__).with_name("_launch.py")


SETUP_FAILED = -2  # as status in a launcher's report: the job's command was never started


class NotStarted(Exception):
    """A job was not started in the way that was tried, and may be in another."""


class Started(Protocol):
    """The launcher of a job that runs: see `_launch.py` for what it promises.

    `stdout` and `stderr` are descriptors to read from, `holders` a number of processes inside that are not the job's.
    """

    pid: int
    stdout: int
    stderr: int
    holders: int

    def ended(self) -> bool: ...

    def terminate(self) -> None:
        """Ask it to kill everything; it may have ended already."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait so long at most for its end."""
        ...

    def kill(self) -> None: ...

    def __enter__(self) -> Started: ...

    def __exit__(self, *_: object) -> None: ...


class Starts(Protocol):
    """A way to start a job; `sandboxed` is that of `Watch`."""

    @property
    def sandboxed(self) -> bool: ...

    def start(self, job: Job, groups: Collection[Path], report: int) -> Started:
        """Start the job's launcher, which writes its report to that descriptor.

        Raises OSError when it cannot, NotStarted when there is another way.
        """
        ...


@dataclass(frozen=True)
class Order:
    """What is started for a job: the words to execute, their environment, and descriptors they inherit."""

    words: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    keep: tuple[int, ...] = ()
    sandboxed: bool = False

    def start(self, job: Job, groups: Collection[Path], report: int) -> Started:
        """See `Starts.start`: a new process of the launcher."""
        environment = [f"{name}={value}" for name, value in self.environment.items()]
        limits = limit_words(job, groups)
        words = [str(os.getpid()), str(report), self.folder, *limits, "--", *environment, "--", *self.words]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(report, *self.keep),
            env={},
            start_new_session=True,
        )
        return Launcher(process)


def limit_words(job: Job, groups: Collection[Path] = ()) -> list[str]:
    """The limits that the launcher puts a job under, as it reads them."""
    return [f"GROUP={group}" for group in groups] + [f"{name}={n}" for name, n in rlimits(job.limits).items()]


def process_limit(job: Job) -> int:
    """How many processes and threads the kernel lets a job's user have inside its sandbox; 0 where it cannot tell.

    Far above the limit that is watched: this only stops a bomb from growing faster than anyone can look. Kernels before
    5.14 count a user's processes outside, too.
    """
    major, minor, *_ = (int(number) for number in re.findall(r"\d+", os.uname().release))
    return 4 * job.limits.pids + 64 if (major, minor) >= (5, 14) else 0


class Launcher:
    """A launcher that is a child of this process."""

    holders = 0

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.process, self.pid = process, process.pid
        self.stdout, self.stderr = process.stdout.fileno(), process.stderr.fileno()

    def ended(self) -> bool:
        return self.process.poll() is not None

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def kill(self) -> None:
        self.process.kill()

    def __enter__(self) -> Launcher:
        self.process.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.__exit__(None, None, None)
