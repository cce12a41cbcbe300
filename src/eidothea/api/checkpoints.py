"""A run's checkpoints: where its graph goes on. What is done is in the ledger; these only save asking again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from eidothea.errors import Missing


class Checkpoints(AsyncSqliteSaver):
    """Knows the writes that are under way.

    When a graph ends early, LangGraph does not wait for them, and a connection that is closed in the middle of one
    keeps the file locked for as long as anything refers to its cursor.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._writing: set[asyncio.Task[Any]] = set()

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As the class above; the write is known until it is over."""
        task = asyncio.current_task()
        assert task is not None
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await super().aput_writes(config, writes, task_id, task_path)

    async def settle(self) -> None:
        """Wait for the writes that are under way, whatever becomes of them."""
        others = self._writing - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[Checkpoints]:
    """The checkpoints of a file, which is free again afterwards."""
    async with aiosqlite.connect(str(file)) as connection:
        checkpoints = Checkpoints(connection)
        try:
            yield checkpoints
        finally:
            await checkpoints.settle()


def check(file: Path, run: str) -> None:
    """Raise Missing, with the way on, when a checkpoint file is damaged."""
    if not file.exists():
        return
    try:
        with sqlite3.connect(file) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise Missing(
            f"the checkpoint {file} is damaged ({verdict}); delete it and `eidothea resume {run}` again: "
            "finished trials and model answers are in the ledger and are not repeated"
        )
