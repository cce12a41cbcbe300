from __future__ import annotations

import asyncio

from eidothea.graph.services import TrialGate


async def test_no_more_than_so_many_at_once() -> None:
    gate, running, most = TrialGate(2), 0, 0

    async def trial() -> None:
        nonlocal running, most
        async with gate.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(trial() for _ in range(7)))
    assert most == 2


async def test_idle_waits_for_what_is_running() -> None:
    gate, done = TrialGate(2), []

    async def trial() -> None:
        async with gate.slot():
            await asyncio.sleep(0.05)
            done.append(True)

    work = asyncio.create_task(trial())
    await asyncio.sleep(0)
    await gate.wait_idle()
    assert done == [True]
    await work
