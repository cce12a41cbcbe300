"""Rank the library's papers for a task (Dolphin's task-attribute-guided ranking, arXiv:2501.03916, section 3.1)."""

from __future__ import annotations

import logging

from eidothea.protocols import Library, Model
from eidothea.state.answer import NoAnswer
from eidothea.state.paper import Hit, RankedPaper
from eidothea.state.request import PaperScores, Request, ScorePapersContext
from eidothea.state.task import TaskSpec

THRESHOLD = 8
FEWEST = 5
OVERSAMPLE = 2
UNSCORED = 1

log = logging.getLogger(__name__)


def queries(task: TaskSpec) -> list[str]:
    """What the library is asked for a task: its topic, and its attributes one by one and together."""
    of = task.attributes
    whole = f"{task.topic}: from {of.input} to {of.output}, measured by {of.objective}"
    asked = [task.topic, task.title, of.input, of.output, of.objective, whole if any((of.input, of.output)) else ""]
    return [query for query in dict.fromkeys(asked) if query.strip()]


def candidates(library: Library, task: TaskSpec, n: int) -> list[Hit]:
    """The `n` papers nearest to any of the task's queries, each with its best similarity, best first."""
    best: dict[str, Hit] = {}
    for query in queries(task):
        for hit in library.search(query, n):
            if hit.paper.id not in best or hit.similarity > best[hit.paper.id].similarity:
                best[hit.paper.id] = hit
    return sorted(best.values(), key=lambda hit: (-hit.similarity, hit.paper.id))[:n]


async def rank(
    model: Model, library: Library, task: TaskSpec, max_papers: int, threshold: int = THRESHOLD, seed: int = 0
) -> list[RankedPaper]:
    """The papers an idea may build on, best score first; equal scores by similarity.

    The model scores twice as many candidates as are wanted, from 1 to 10. Papers below `threshold` are left out,
    but the five best stay whatever their score: without papers there are no citations. Scores of papers the
    model was not shown are dropped and logged. [] for an empty library. Where the model gives no usable scores, the
    nearest papers stand in, with a score of `UNSCORED` and that as their reason: a run needs no scores to go on.
    """
    hits = candidates(library, task, OVERSAMPLE * max_papers)
    if not hits:
        return []
    context = ScorePapersContext(task=task, papers=tuple(hits))
    request = Request("score_papers", key="survey/score_papers", context=context, answer=PaperScores, seed=seed)
    try:
        ranked = _ranked(hits, (await model.answer(request)).value)
    except NoAnswer as none:
        return _unscored(hits[:max_papers], str(none))
    if not ranked:
        return _unscored(hits[:max_papers], "none of the scored papers is one of those shown")
    return [paper for n, paper in enumerate(ranked[:max_papers]) if paper.score >= threshold or n < FEWEST]


def _unscored(hits: list[Hit], why: str) -> list[RankedPaper]:
    log.warning("the papers are ranked by similarity alone: %s", why)
    return [
        RankedPaper(paper=hit.paper, score=UNSCORED, reason=f"not scored, similarity {hit.similarity:.2f}: {why}"[:500])
        for hit in hits
    ]


def _ranked(hits: list[Hit], answer: PaperScores) -> list[RankedPaper]:
    shown = {hit.paper.id: hit for hit in hits}
    scores = {score.paper: score for score in reversed(answer.scores)}
    if invented := sorted(set(scores) - set(shown)):
        log.warning("the model scored %d papers that it was not shown: %s", len(invented), ", ".join(invented)[:200])
    known = [(score, shown[id]) for id, score in scores.items() if id in shown]
    known.sort(key=lambda pair: (-pair[0].score, -pair[1].similarity, pair[1].paper.id))
    return [RankedPaper(paper=hit.paper, score=score.score, reason=score.reason) for score, hit in known]
