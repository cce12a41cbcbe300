"""Model calls that are recorded before they are used, budgeted, and never paid for twice."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from eidothea.budget import Budget
from eidothea.errors import ModelMistake, WrongUse
from eidothea.graph.stopping import Stopper
from eidothea.graph.telemetry import OFF, Telemetry
from eidothea.ledger.store import Ledger
from eidothea.models._recorder import Recorder
from eidothea.protocols import Model, ModelOptions
from eidothea.settings import Price
from eidothea.state.answer import NoAnswer, Reply
from eidothea.state.base import digest
from eidothea.state.record import CallRecord, Charge
from eidothea.state.request import Request

A = TypeVar("A", bound=BaseModel)
_IDEA = re.compile(r"(r(\d+)-\d+)/")
_ROUND = re.compile(r"r(\d+)/")


class MeteredModel:
    """A model of one role within a run; answers that the ledger has already are taken from there."""

    def __init__(
        self,
        inner: Model,
        role: str,
        run: str,
        ledger: Ledger,
        budget: Budget,
        stopper: Stopper,
        telemetry: Telemetry = OFF,
        recorder: Recorder | None = None,
    ) -> None:
        self.inner, self.role, self.run, self.ledger, self.budget = inner, role, run, ledger, budget
        self.stopper, self.telemetry, self.recorder = stopper, telemetry, recorder
        self.name = inner.name
        self.price: Price | None = inner.price
        self.parameters: Mapping[str, Any] = inner.parameters

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> Model:
        raise WrongUse("a metered model wraps another one and cannot be asked for by name")

    async def answer(self, request: Request[A]) -> Reply[A]:
        fingerprint = digest(request.name, request.context, request.seed, self.name)
        known = self.ledger.call(self.run, request.key, fingerprint)
        if known is not None:
            return _again(known, request)
        self.budget.check()
        call = self._about(request, fingerprint)
        charge = self._charge(request)
        asked = replace(request, account=self.budget.account(charge))
        with self.telemetry.call(charge, request.name, self.parameters) as said:
            try:
                reply = await self.stopper.unless_asked(self.inner.answer(asked))
            except NoAnswer as none:
                said(none)
                self._record(_without_answer(call, none), request)
                raise
            except ModelMistake as mistake:
                self._record(call.model_copy(update={"outcome": "mistake", "problem": str(mistake)}), request)
                raise
            said(reply)
        self._record(_with_answer(call, reply), request)
        return reply

    def _about(self, request: Request[A], fingerprint: str) -> CallRecord:
        return CallRecord(
            run=self.run,
            key=request.key,
            name=request.name,
            agent=self.role,
            model=self.name,
            fingerprint=fingerprint,
            parameters=dict(self.parameters),
            at=time.time(),
        )

    def _charge(self, request: Request[A]) -> Charge:
        idea, number = place(request.key)
        return Charge(run=self.run, key=request.key, agent=self.role, idea=idea, round=number, model=self.name)

    def _record(self, call: CallRecord, request: Request[A]) -> None:
        now = time.time()
        done = call.model_copy(update={"seconds": round(now - call.at, 3), "at": now})
        if self.recorder is not None:  # the ledger's copy must be enough to write the line after a crash
            done = self.recorder.keyed(done, request)
        self.ledger.put_call(done)
        if self.recorder is not None:
            self.recorder.write(done)

    async def close(self) -> None:
        await self.inner.close()


def place(key: str) -> tuple[str, int]:
    """The idea ("" for none) and the round (0 for none) that a request's key is about."""
    if found := _IDEA.match(key):
        return found[1], int(found[2])
    found = _ROUND.match(key)
    return "", int(found[1]) if found else 0


def _with_answer(call: CallRecord, reply: Reply[Any]) -> CallRecord:
    # An answer's text is kept only where it says more than the answer itself.
    answer = reply.value.model_dump_json()
    text = "" if reply.text == answer else reply.text
    return call.model_copy(update={"answer": answer, "text": text, "tokens": reply.tokens} | _prompt(reply))


def _without_answer(call: CallRecord, none: NoAnswer) -> CallRecord:
    found = {"outcome": none.why, "problem": str(none), "text": none.text, "tokens": none.tokens}
    return call.model_copy(update=found | _prompt(none))


def _prompt(said: Reply[Any] | NoAnswer) -> dict[str, str]:
    return {"system": said.prompt.system, "prompt": said.prompt.user} if said.prompt else {}


def _again(known: CallRecord, request: Request[A]) -> Reply[A]:
    """What was answered before; raises NoAnswer or ModelMistake when that was no answer."""
    if known.outcome == "mistake":
        raise ModelMistake(known.problem)
    if known.outcome != "answered":
        raise NoAnswer(known.problem, known.outcome, tokens=known.tokens, text=known.text)
    return Reply(request.answer.model_validate_json(known.answer), known.text or known.answer, tokens=known.tokens)
