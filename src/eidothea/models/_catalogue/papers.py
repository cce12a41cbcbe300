"""Score papers by how near they are to the task and how much of its vocabulary they share."""

from __future__ import annotations

import re

from eidothea.state.paper import Hit, Paper
from eidothea.state.request import PaperScore, PaperScores, ScorePapersContext
from eidothea.state.task import TaskSpec

_COMMON = frozenset(
    "a an and are as at be by can each for from has have how in into is it its not of on one or our per than that the "
    "their them then they this to two use used using we what when where which while with without".split()
)
_FAR, _NEAR = 0.1, 0.6  # similarities of MiniLM at which the first half of the score begins and is full


def score_papers(context: ScorePapersContext) -> PaperScores:
    """One score from 1 to 10 per paper.

    Five points for the cosine similarity to the query (from .1 to .6), four for the share of the task's content
    words that the paper's own task, methods and title use (full at a half).
    """
    wanted = _words(_wording(context.task))
    return PaperScores(scores=tuple(_score(hit, wanted) for hit in context.papers))


def _score(hit: Hit, wanted: set[str]) -> PaperScore:
    shared = wanted & _words(_content(hit.paper))
    overlap = len(shared) / max(1, len(wanted))
    near = min(1.0, max(0.0, (hit.similarity - _FAR) / (_NEAR - _FAR)))
    score = 1 + round(5 * near + 4 * min(1.0, 2 * overlap))
    common = f" ({', '.join(sorted(shared)[:6])})" if shared else ""
    reason = f"similarity {hit.similarity:.2f} to the query, {overlap:.0%} of the task's words{common}"
    return PaperScore(paper=hit.paper.id, score=min(10, score), reason=reason[:500])


def _wording(task: TaskSpec) -> str:
    return " ".join((task.topic, task.attributes.input, task.attributes.output, task.attributes.objective))


def _content(paper: Paper) -> str:
    about = paper.task
    return " ".join((paper.title, *paper.methods, about.input, about.output, about.objective))


def _words(text: str) -> set[str]:
    """Content words, with a plural 's' taken off."""
    words = re.findall(r"[a-z][a-z0-9]+", text.lower())
    return {word.removesuffix("s") if len(word) > 3 else word for word in words} - _COMMON
