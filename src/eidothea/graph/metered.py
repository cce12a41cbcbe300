"""Model calls that are recorded before they are used, budgeted, and never paid for twice."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from pydantic import BaseModel

from eidothea.budget import Budget
from eidothea.errors import WrongUse
from eidothea.graph.stopping import Stopper
from eidothea.ledger.store import Ledger
from eidothea.protocols import Model
from eidothea.state.base import digest
from eidothea.state.record import CallRecord
from eidothea.state.request import Reply, Request

A = TypeVar("A", bound=BaseModel)


class MeteredModel:
    """A model of one role within a run; answers that the ledger has already are taken from there."""

    def __init__(self, inner: Model, role: str, run: str, ledger: Ledger, budget: Budget, stopper: Stopper) -> None:
        self.inner, self.role, self.run, self.ledger, self.budget = inner, role, run, ledger, budget
        self.stopper = stopper
        self.name = inner.name

    @classmethod
    def create(cls, argument: str, options: dict[str, Any]) -> Model:
        raise WrongUse("a metered model wraps another one and cannot be asked for by name")

    async def answer(self, request: Request[A]) -> Reply[A]:
        fingerprint = digest(request.name, request.context, request.seed, self.name)
        known = self.ledger.call(self.run, request.key, fingerprint)
        if known is not None:
            return Reply(request.answer.model_validate_json(known.answer), tokens=known.tokens)
        self.budget.check()
        started = time.monotonic()
        reply = await self.stopper.unless_asked(self.inner.answer(request))
        self._record(request, fingerprint, reply, time.monotonic() - started)
        return reply

    def _record(self, request: Request[A], fingerprint: str, reply: Reply[A], seconds: float) -> None:
        self.ledger.put_call(
            CallRecord(
                run=self.run,
                key=request.key,
                name=request.name,
                agent=self.role,
                model=self.name,
                fingerprint=fingerprint,
                prompt=reply.text,
                answer=reply.value.model_dump_json(),
                tokens=reply.tokens,
                seconds=round(seconds, 3),
                at=time.time(),
            )
        )

    async def close(self) -> None:
        await self.inner.close()
