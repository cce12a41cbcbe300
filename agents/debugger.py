"""The debugger agent: from a failure and the code around it to a diagnosis and edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eidothea.errors import ModelMistake
from eidothea.protocols import Model
from eidothea.state.answer import NoAnswer
from eidothea.state.edit import Edit
from eidothea.state.idea import Idea
from eidothea.state.record import AttemptRecord
from eidothea.state.request import Repair, RepairContext, Request, Structure, Suggestion
from eidothea.state.trial import Failure
from eidothea.tools.repair import rules, structure
from eidothea.tools.repair.change import changed
from eidothea.tools.tasks import Task

MAX_TRIES = 3


@dataclass(frozen=True)
class Repaired:
    """The repaired tree with its diagnosis; `gave_up` when there is nothing left to try, the diagnosis is the cause.

    `structure` is what the model was shown of the code.
    """

    files: dict[str, str]
    diagnosis: str
    edits: tuple[Edit, ...]
    structure: Structure
    gave_up: bool = False


class DebuggerAgent:
    """Repairs a failing tree, guided by the code around the exception."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def repair(
        self,
        task: Task,
        idea: Idea,
        files: Mapping[str, str],
        failure: Failure,
        attempt: int,
        history: Sequence[AttemptRecord] = (),
        *,
        written: Sequence[Edit] = (),
        key: str = "",
        seed: int = 0,
    ) -> Repaired:
        """One attempt. `history` are the earlier attempts on this idea, `written` the edits that implemented it.

        The same failure twice shows the model a wider structure. Unusable answers and edits are told to the model,
        three times at most; it gives up with the cause then, as it does when the model has no edits to offer.
        """
        before = dict(files)
        repeated = any(past.failure.signature == failure.signature for past in history)
        done = [*written, *(edit for past in history for edit in past.edits)]
        shown = structure.extract(failure, before, done, wide=repeated)
        suggestions = _usable(rules.suggest(failure, before, history), before, task, history)
        context = RepairContext(
            task=task.spec,
            idea=idea,
            failure=failure,
            structure=shown,
            editable=task.spec.editable,
            limits=task.spec.limits,
            attempt=attempt,
            repeated=repeated,
            tried=tuple(past.diagnosis for past in history),
            suggestions=suggestions,
        )
        return await self._ask(context, before, key, seed)

    async def _ask(self, context: RepairContext, before: dict[str, str], key: str, seed: int) -> Repaired:
        shown = context.structure
        for number in range(1, MAX_TRIES + 1):
            request = Request("repair", f"{key}/{number}" if key else "", context, Repair, seed)
            try:
                answer = (await self._model.answer(request)).value
            except NoAnswer as none:
                if none.why == "refusal":
                    return Repaired(before, f"The model refuses to repair it: {none}", (), shown, gave_up=True)
                context = context.model_copy(update={"problem": str(none)})
                continue
            if not answer.edits:
                return Repaired(before, answer.diagnosis, (), shown, gave_up=True)
            try:
                return Repaired(changed(before, answer.edits, context.editable), answer.diagnosis, answer.edits, shown)
            except ModelMistake as mistake:
                context = context.model_copy(update={"problem": str(mistake)})
        return Repaired(before, f"No usable repair in {MAX_TRIES} tries: {context.problem}", (), shown, gave_up=True)


def _usable(
    suggestions: Sequence[Suggestion], files: dict[str, str], task: Task, history: Sequence[AttemptRecord]
) -> tuple[Suggestion, ...]:
    """Suggestions that apply, change something and were not tried on this idea before."""
    tried = {past.edits for past in history}
    return tuple(s for s in suggestions if s.edits not in tried and _applies(s, files, task))


def _applies(suggestion: Suggestion, files: dict[str, str], task: Task) -> bool:
    try:
        changed(files, suggestion.edits, task.spec.editable)
    except ModelMistake:
        return False
    return True


PLUGIN = DebuggerAgent
