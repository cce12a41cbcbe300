"""Start a job by a server of warm starts."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eidothea.protocols import Job
from eidothea.workspaces import _seccomp as seccomp
from eidothea.workspaces._start import NotStarted, Started, limit_words, process_limit
from eidothea.workspaces._warm.pool import Server


@dataclass(frozen=True)
class WarmOrder:
    """What is started for a job: the sandbox as the server has bwrap build it, and what runs inside."""

    server: Server
    sandbox: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    command: Sequence[str]
    sandboxed: bool = True

    def start(self, job: Job, groups: Collection[Path], report: int) -> Started:
        """See `Starts.start`: a launcher that the server forks."""
        most = 0 if groups else process_limit(job)
        order = {
            "sandbox": list(self.sandbox),
            "environment": dict(self.environment),
            "folder": self.folder,
            "command": list(self.command),
            "limits": [*limit_words(job), *([f"RLIMIT_NPROC={most}"] if most else [])],
            "filter": seccomp.program().hex(),
        }
        with contextlib.ExitStack() as stack:
            joined = [stack.enter_context((group / "cgroup.procs").open("wb", 0)).fileno() for group in groups]
            (out, out_write), (err, err_write) = os.pipe(), os.pipe()
            try:
                return Forked(self.server.launch(order, [out_write, err_write, report, *joined]), out, err)
            except OSError as error:
                os.close(out)
                os.close(err)
                raise NotStarted(f"the server did not start it: {error}") from error
            finally:
                os.close(out_write)
                os.close(err_write)


class Forked:
    """A launcher that is a child of the server."""

    holders = 1

    def __init__(self, pid: int, stdout: int, stderr: int) -> None:
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.process = os.pidfd_open(pid)

    def ended(self) -> bool:
        return bool(select.select([self.process], [], [], 0)[0])

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        select.select([self.process], [], [], seconds)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.process, number)

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self.stdout, self.stderr, self.process):
            os.close(descriptor)
