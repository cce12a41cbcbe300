"""Bubblewrap with warm starts as tests want it: every script starts warm, and all tests share the servers."""

from __future__ import annotations

import asyncio
import atexit

from eidothea.protocols import Job
from eidothea.state.trial import Ending
from eidothea.workspaces.bubblewrap import BubblewrapWorkspace, Sandbox


class EagerBubblewrap(BubblewrapWorkspace):
    """Waits for the server where the real one starts cold meanwhile, and takes no cold start for a script."""

    shared: BubblewrapWorkspace | None = None

    def __init__(self) -> None:
        if EagerBubblewrap.shared is None:
            EagerBubblewrap.shared = BubblewrapWorkspace(warm=True)
            assert EagerBubblewrap.shared.pool is not None
            atexit.register(EagerBubblewrap.shared.pool.close)
        self.pool = EagerBubblewrap.shared.pool

    async def _run_warm(self, job: Job, sandbox: Sandbox) -> Ending | None:
        assert self.pool is not None
        if sandbox.runs_script(job):
            await asyncio.to_thread(self.pool.server, sandbox.settings, True)
        ending = await super()._run_warm(job, sandbox)
        assert ending is not None or not sandbox.runs_script(job), self.pool.trouble
        return ending

    def _gains(self, job: Job) -> bool:
        return True

    async def close(self) -> None:
        """The servers are for the next test, too."""
