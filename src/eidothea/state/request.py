"""What agents ask models, and what they get back: a typed context and a typed answer per request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from eidothea.state.answer import Account, Unlimited
from eidothea.state.base import Value
from eidothea.state.edit import Edit
from eidothea.state.idea import Idea, IdeaDraft
from eidothea.state.move import Move
from eidothea.state.paper import Hit, RankedPaper
from eidothea.state.task import Limits, TaskSpec
from eidothea.state.trial import Failure
from eidothea.state.verdict import Lesson, Noise, Verdict

A = TypeVar("A", bound=BaseModel)


class Context(Value):
    """What a request is about; `problem` says what was wrong with the previous answer, and is empty at first."""

    problem: str = ""


@dataclass(frozen=True)
class Request(Generic[A]):
    """One question to a model. `name` is also the prompt's file name; `key` identifies it within its run."""

    name: str
    key: str
    context: Context
    answer: type[A]
    seed: int = 0
    account: Account = field(default_factory=Unlimited, compare=False)


class ScorePapersContext(Context):
    task: TaskSpec
    papers: tuple[Hit, ...]


class PaperScore(Value):
    paper: str = Field(max_length=200)
    score: int = Field(ge=1, le=10)
    reason: str = Field(max_length=500)


class PaperScores(Value):
    scores: tuple[PaperScore, ...] = Field(max_length=400)


class ProposeContext(Context):
    """`taken` are the titles of ideas that exist already; `moves` is what the catalogue may compose."""

    task: TaskSpec
    readme: str
    baseline: dict[str, str]
    papers: tuple[RankedPaper, ...]
    lessons: tuple[Lesson, ...] = ()
    taken: tuple[Idea, ...] = ()
    noise: Noise | None = None
    moves: tuple[Move, ...] = ()
    n: int


class Proposals(Value):
    ideas: tuple[IdeaDraft, ...] = Field(max_length=60)


class CodeContext(Context):
    """`lab` is the reference of the building blocks that candidates may import."""

    task: TaskSpec
    readme: str
    idea: Idea
    tree: dict[str, str]
    editable: tuple[str, ...]
    lab: str
    limits: Limits
    moves: tuple[Move, ...] = ()


class Edits(Value):
    """Search/replace blocks, or whole files, in the order in which they are applied."""

    edits: tuple[Edit, ...] = Field(max_length=40)


class Structure(Value):
    """Exception-traceback-guided local code structure: what a repair needs to see, and no more."""

    text: str
    files: tuple[str, ...] = ()


class RepairContext(Context):
    """`suggestions` are repairs that rules derived from the same failure, best first.

    `tried` are the diagnoses of the earlier repairs of this idea, oldest first.
    """

    task: TaskSpec
    idea: Idea
    failure: Failure
    structure: Structure
    editable: tuple[str, ...]
    limits: Limits
    attempt: int
    repeated: bool = False
    tried: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


class Suggestion(Value):
    """A repair by rule: a diagnosis and the edits that follow from it."""

    rule: str
    diagnosis: str
    edits: tuple[Edit, ...]


class Repair(Value):
    """First the diagnosis, then the edits; no edits means that the model gives up, with the diagnosis as cause."""

    diagnosis: str = Field(max_length=4000)
    edits: tuple[Edit, ...] = Field(default=(), max_length=40)


class AnalyseContext(Context):
    task: TaskSpec
    idea: Idea
    verdict: Verdict
    noise: Noise | None = None
    metrics: dict[str, dict[str, float]] = Field(default_factory=dict)
    failure: Failure | None = None
    log_tail: str = ""


class Analysis(Value):
    """What happened, why (linked to numbers), what would be informative next, and one lesson for the bank."""

    happened: str = Field(max_length=2000)
    why: str = Field(max_length=2000)
    next: str = Field(max_length=2000)
    lesson: str = Field(max_length=1000)


RepairContext.model_rebuild()
