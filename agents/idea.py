"""The idea agent: proposes ideas, and says why it drops those it does not keep."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import create_model

from eidothea.agents._ask import ask
from eidothea.protocols import Library, Model
from eidothea.state.base import Value, digest
from eidothea.state.idea import Hypothesis, Idea, IdeaDraft, Prediction
from eidothea.state.move import ChoiceParam, Move, Setting
from eidothea.state.paper import RankedPaper
from eidothea.state.request import Proposals, ProposeContext, Request
from eidothea.state.task import Metric
from eidothea.state.verdict import Lesson, Noise
from eidothea.tools.tasks import Task

SURPLUS = 2  # ideas asked for per idea wanted: some will be dropped
T = TypeVar("T", bound=Value)
Filter = Callable[[IdeaDraft, Sequence[IdeaDraft]], str]  # the reason to drop the idea, or ""


@dataclass(frozen=True)
class Proposed:
    """The ideas kept, best first; those dropped, each with the reason; citations that no source knows."""

    ideas: list[IdeaDraft]
    dropped: list[tuple[IdeaDraft, str]]
    struck: int = 0


class IdeaAgent:
    """Proposes ideas for a task from its papers and the lessons so far."""

    def __init__(self, model: Model, library: Library) -> None:
        self._model = model
        self._library = library

    async def propose(
        self,
        task: Task,
        n: int,
        lessons: Sequence[Lesson] = (),
        *,
        papers: Sequence[RankedPaper] | None = None,
        taken: Sequence[Idea] = (),
        noise: Noise | None = None,
        max_papers: int = 20,
        key: str = "",
        seed: int = 0,
    ) -> Proposed:
        """At most `n` ideas that are new, can be run and cite known papers only.

        `taken` are ideas that exist already. Without `papers` the library's are ranked first. Raises NoAnswer
        when the model has no usable answer in three tries.
        """
        if papers is None:
            from eidothea.tools.papers.ranking import rank

            papers = await rank(self._model, self._library, task.spec, max_papers)
        context = ProposeContext(
            task=task.spec,
            readme=task.readme,
            baseline=task.baseline,
            papers=tuple(papers),
            lessons=tuple(lessons),
            taken=tuple(taken),
            noise=noise,
            moves=task.moves,
            n=SURPLUS * n,
        )
        answer = proposals_for(task.spec.metric.name, _better(task.spec.metric))
        reply = await ask(self._model, Request("propose_ideas", key, context, answer, seed), tries=3)
        ideas = Proposals.model_validate(reply.value.model_dump()).ideas
        return self._sift(task, ideas, taken, papers, n)

    def _sift(
        self, task: Task, ideas: Sequence[IdeaDraft], taken: Sequence[Idea], papers: Sequence[RankedPaper], n: int
    ) -> Proposed:
        ranked = {paper.paper.id for paper in papers}
        filters: tuple[Filter, ...] = (_duplicate, lambda idea, _: _infeasible(idea, task))
        kept: list[IdeaDraft] = []
        dropped: list[tuple[IdeaDraft, str]] = []
        struck = 0
        for idea in ideas:
            bank = [*taken, *kept]
            reason = next((why for why in (drop(idea, bank) for drop in filters) if why), "")
            if reason or len(kept) == n:
                dropped.append((idea, reason or f"not among the first {n}"))
                continue
            known = tuple(paper for paper in idea.citations if paper in ranked or self._library.get(paper))
            struck += len(idea.citations) - len(known)
            kept.append(idea.model_copy(update={"citations": known}))
        return Proposed(kept, dropped, struck)


@functools.cache
def proposals_for(metric: str, direction: str) -> type[Proposals]:
    """The answer's type for one task: ideas can only predict the metric that the task judges by, for the better.

    Constrained decoding then keeps a small model from naming another one.
    """
    # Types are made here, so what they hold is not known to a type checker.
    fields: dict[str, Any] = {"metric": (Literal[metric], ...), "direction": (Literal[direction], ...)}
    prediction = _narrowed(Prediction, **fields)
    hypothesis = _narrowed(Hypothesis, prediction=(prediction, ...))
    draft: Any = _narrowed(IdeaDraft, hypothesis=(hypothesis, ...))
    return _narrowed(Proposals, ideas=(tuple[draft, ...], Proposals.model_fields["ideas"]))


def _narrowed(of: type[T], **fields: Any) -> type[T]:  # noqa: ANN401 - what pydantic takes for a field
    """The type under its own name and description, with some fields of a narrower type."""
    return create_model(of.__name__, __base__=of, __doc__=of.__doc__, **fields)


def _better(metric: Metric) -> Literal["increase", "decrease"]:
    return "increase" if metric.direction == "max" else "decrease"


def _duplicate(idea: IdeaDraft, bank: Sequence[IdeaDraft]) -> str:
    for other in bank:
        if idea.moves and _fingerprint(idea) == _fingerprint(other):
            return f"the same moves and settings as “{other.title}”"
        if _normal(idea.title) == _normal(other.title):
            return f"the same title as “{other.title}”"
        if _normal(idea.hypothesis.claim) == _normal(other.hypothesis.claim):
            return f"the same claim as “{other.title}”"
    return ""


def _fingerprint(idea: IdeaDraft) -> str:
    return digest(sorted(use.model_dump_json() for use in idea.moves))


def _normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _infeasible(idea: IdeaDraft, task: Task) -> str:
    prediction, metric = idea.hypothesis.prediction, task.spec.metric
    if prediction.metric != metric.name:
        return f"it predicts {prediction.metric!r}, which this task does not judge by ({metric.name!r} is)"
    if prediction.direction != _better(metric):
        return f"it predicts a change of {metric.name} for the worse"
    moves = {move.name: move for move in task.moves}
    for use in idea.moves:
        problem = _misuse(moves, use.move, use.settings, {other.move for other in idea.moves})
        if problem:
            return problem
    return ""


def _misuse(moves: dict[str, Move], name: str, settings: dict[str, Setting], company: set[str]) -> str:
    if name not in moves:
        return f"the task has no move called {name!r}"
    clash = company & set(moves[name].conflicts)
    if clash:
        return f"the moves {name!r} and {min(clash)!r} exclude each other"
    params = moves[name].params
    if settings.keys() != params.keys():
        return f"the move {name!r} takes the settings {sorted(params)}, not {sorted(settings)}"
    for key, value in settings.items():
        param = params[key]
        allowed = param.options if isinstance(param, ChoiceParam) else (param.low, param.high)
        inside = value in allowed if isinstance(param, ChoiceParam) else _between(value, param.low, param.high)
        if not inside:
            return f"the setting {key}={value!r} of the move {name!r} is outside {allowed}"
    return ""


def _between(value: Setting, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


PLUGIN = IdeaAgent
