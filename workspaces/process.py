"""Run a job as a plain process: limits, but no isolation. For trusted code only, and only when asked for by name."""

from __future__ import annotations

import sys
import tempfile

from eidothea.protocols import Job, Probe
from eidothea.state.trial import Ending
from eidothea.workspaces._command import PYTHON, environment, words
from eidothea.workspaces._run import Order, run


class ProcessWorkspace:
    """A plain subprocess with a clean environment. It sees the machine's files and network."""

    name = "process"
    isolates = False

    @classmethod
    def probe(cls) -> Probe:
        return Probe(True, "runs candidate code without isolation", ("time", "memory", "pids", "disk", "output"))

    async def run(self, job: Job) -> Ending:
        """See `Workspace.run`; mounts are the folders themselves, and nothing keeps the job from writing there.

        Raises WrongUse for a command that cannot be filled in.
        """
        paths = {name: str(path.resolve()) for name, path in (job.mounts | {"out": job.out}).items()}
        command = words(job, paths)
        if command[0] in PYTHON:
            command[0] = sys.executable
        elif "/" not in command[0]:
            command[:0] = ["/usr/bin/env", "--"]
        with tempfile.TemporaryDirectory(prefix="eidothea-") as home:
            settings = environment(job.limits, HOME=home, TMPDIR=home)
            return await run(job, Order(command, settings, paths.get("tree", paths["out"])))

    async def close(self) -> None:
        """Nothing is held."""


PLUGIN = ProcessWorkspace
