"""Run a job in a Docker container: no network, no rights, a read-only system, hard limits of the kernel."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

from eidothea.errors import EidotheaError, Missing
from eidothea.protocols import Job, Probe
from eidothea.state.task import Limits
from eidothea.state.trial import Ending
from eidothea.workspaces import _gpus as gpus
from eidothea.workspaces._docker import engine, image, layer, leftovers, order
from eidothea.workspaces._docker.engine import Trouble
from eidothea.workspaces._docker.fit import Starter, gains
from eidothea.workspaces._docker.pool import Pool
from eidothea.workspaces._docker.supervise import Supervisor
from eidothea.workspaces._run import supervise

ENFORCED = ("network", "files", "environment", "time", "memory", "pids", "cpus", "disk", "output")
PROBE_S = 3
PATIENCE_S = 30.0  # how long an engine that was lost in mid-run may take to come back


class DockerWorkspace:
    """Containers of the Docker engine of this machine."""

    name = "docker"
    isolates = True
    installs = True  # what a candidate's requirements.txt asks for
    starts_warm = True

    def __init__(self, warm: bool = False) -> None:
        self.pool = Pool() if warm else None
        self._lock = threading.Lock()
        self._images: dict[image.Kind, image.Image] = {}
        self._abandoned: set[str] = set()
        self._lost_at: float | None = None

    @classmethod
    def probe(cls) -> Probe:
        """Asks the engine what it can do and whether the image is there; removes what dead processes have left."""
        try:
            with engine.connect(PROBE_S) as client:
                with engine.asking("say what it can do"):
                    lacking = engine.lacking(client)
                if lacking:
                    return Probe(False, lacking)
                found = image.find(client, "cpu")
                leftovers.reap(client)
        except (EidotheaError, Trouble) as error:
            return Probe(False, str(error))
        return Probe(True, f"the Docker engine and the image {found.name} (Python {found.python}) are here", ENFORCED)

    def place(self, limits: Limits) -> str:
        """What results depend on beside this machine: the image. Raises Missing when it is not here."""
        try:
            found = self._prepare(limits)
        except Trouble as trouble:
            raise Missing(str(trouble)) from trouble
        return f"docker, Python {found.python} of {found.name} ({found.id.removeprefix('sha256:')[:12]})"

    async def run(self, job: Job) -> Ending:
        """See `Workspace.run`. Raises WrongUse for a command that cannot be filled in."""
        try:
            await self._wait_for_engine()
            chosen = await asyncio.to_thread(self._prepare, job.limits)
            if refusal := await asyncio.to_thread(order.refusal, job, chosen):
                return Ending(outcome="infrastructure", detail=refusal)
            if job.requirements:
                chosen = await asyncio.to_thread(_with_requirements, job, chosen)
            async with gpus.lease(job.limits.gpus) as devices:
                ending = await self._supervise(job, Supervisor(job, chosen, devices, self._abandoned.add))
        except layer.Refused as refused:
            job.stdout.touch()
            job.stderr.write_text(str(refused), encoding="utf-8")
            return Ending(outcome="exited", exit_code=1, detail="its requirements could not be installed")
        except (Missing, Trouble, OSError) as error:
            ending = Ending(outcome="infrastructure", detail=str(error))
        if ending.outcome == "infrastructure":
            self._lost_at = time.monotonic()
        return ending

    async def _supervise(self, job: Job, cold: Supervisor) -> Ending:
        if self.pool is None:
            return await supervise(cold, job.id)
        with self.pool.busy():
            return await supervise(Starter(self.pool, job, cold) if self._gains(job) else cold, job.id)

    def _gains(self, job: Job) -> bool:
        return gains(job)

    def _prepare(self, limits: Limits) -> image.Image:
        """The image for a job, looked for once; what was left behind is removed first."""
        kind: image.Kind = "gpu" if limits.gpus else "cpu"
        with self._lock:
            if kind in self._images and self._lost_at is None:
                return self._images[kind]
            with engine.connect() as client:
                leftovers.reap(client)
                while self._abandoned:
                    leftovers.remove(client, self._abandoned.pop())
                if kind not in self._images:
                    self._images[kind] = image.find(client, kind)
            self._lost_at = None
            return self._images[kind]

    async def _wait_for_engine(self) -> None:
        """An engine that is being restarted is waited for, one that never answered is not."""
        if self._lost_at is None or not self._images:
            return
        end = self._lost_at + PATIENCE_S
        while time.monotonic() < end and not await asyncio.to_thread(engine.answers):  # noqa: ASYNC110
            await asyncio.sleep(0.5)

    async def close(self) -> None:
        """End what keeps warm starts ready; remove what could not be removed while the engine was away."""
        if self.pool is not None:
            await asyncio.to_thread(self.pool.close)
        if self._abandoned:
            await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        with contextlib.suppress(Missing, Trouble), engine.connect() as client:
            while self._abandoned:
                leftovers.remove(client, self._abandoned.pop())


def _with_requirements(job: Job, chosen: image.Image) -> image.Image:
    with engine.connect() as client:
        return layer.with_requirements(client, chosen, job.requirements)


PLUGIN = DockerWorkspace
