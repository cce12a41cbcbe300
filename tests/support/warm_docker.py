"""Docker with warm starts as tests want it: every script starts warm."""

from __future__ import annotations

import asyncio

from eidothea.protocols import Job
from eidothea.state.trial import Ending
from eidothea.workspaces._docker.fit import runs_script
from eidothea.workspaces._docker.pool import Pool
from eidothea.workspaces.docker import DockerWorkspace

READY_S = 120


class EagerDocker(DockerWorkspace):
    """Waits for a container where the real one starts cold meanwhile, and takes no cold start for a script."""

    def __init__(self, pool: Pool | None = None) -> None:
        super().__init__(warm=True)
        self.pool = pool or self.pool

    def _gains(self, job: Job) -> bool:
        return True

    async def run(self, job: Job) -> Ending:
        if not runs_script(job):
            return await super().run(job)
        await self.prepared(job)
        assert self.pool is not None
        before = self.pool.started
        ending = await super().run(job)
        assert self.pool.started == before + 1, self.pool.trouble
        return ending

    async def prepared(self, job: Job) -> None:
        """Wait until a container waits for jobs like this one."""
        assert self.pool is not None
        image = await asyncio.to_thread(self._prepare, job.limits)
        taken = await asyncio.to_thread(self.pool.take, image, job)
        if taken is not None:
            self.pool.give_back(taken)
        async with asyncio.timeout(READY_S):
            while not (self.pool.shelf and self.pool.shelf.ready):
                assert not self.pool.trouble, self.pool.trouble
                await asyncio.sleep(0.02)
