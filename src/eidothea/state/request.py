"""What agents ask models, and what they get back: a typed context and a typed answer per request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from eidothea.state.base import Value
from eidothea.state.edit import Edit
from eidothea.state.idea import Idea, IdeaDraft
from eidothea.state.move import Move
from eidothea.state.paper import Hit, RankedPaper
from eidothea.state.task import Limits, TaskSpec
from eidothea.state.trial import Failure
from eidothea.state.verdict import Lesson, Noise, Verdict

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Request(Generic[A]):
    """One question to a model. `name` is also the prompt's file name; `key` identifies it within its run."""

    name: str
    key: str
    context: BaseModel
    answer: type[A]
    seed: int = 0


class Tokens(Value):
    """What an answer cost; `usd` is None when the model's price is unknown."""

    input: int = 0
    output: int = 0
    usd: float | None = 0.0


@dataclass(frozen=True)
class Reply(Generic[A]):
    """An answer, the text it was parsed from, and what it cost."""

    value: A
    text: str = ""
    tokens: Tokens = field(default_factory=Tokens)


class ScorePapersContext(Value):
    task: TaskSpec
    papers: tuple[Hit, ...]


class PaperScore(Value):
    paper: str
    score: int = Field(ge=1, le=10)
    reason: str = Field(max_length=500)


class PaperScores(Value):
    scores: tuple[PaperScore, ...]


class ProposeContext(Value):
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
    ideas: tuple[IdeaDraft, ...]


class CodeContext(Value):
    """`problem` is empty at first; then it says what was wrong with the previous edits."""

    task: TaskSpec
    readme: str
    idea: Idea
    tree: dict[str, str]
    editable: tuple[str, ...]
    lab: str
    limits: Limits
    moves: tuple[Move, ...] = ()
    problem: str = ""


class Edits(Value):
    """Search/replace blocks, or whole files, in the order in which they are applied."""

    edits: tuple[Edit, ...] = Field(max_length=40)


class Structure(Value):
    """Exception-traceback-guided local code structure: what a repair needs to see, and no more."""

    text: str
    files: tuple[str, ...] = ()


class RepairContext(Value):
    """`suggestions` are repairs that rules derived from the same failure, best first."""

    task: TaskSpec
    idea: Idea
    failure: Failure
    structure: Structure
    editable: tuple[str, ...]
    limits: Limits
    attempt: int
    repeated: bool = False
    suggestions: tuple[Suggestion, ...] = ()
    problem: str = ""


class Suggestion(Value):
    """A repair by rule: a diagnosis and the edits that follow from it."""

    rule: str
    diagnosis: str
    edits: tuple[Edit, ...]


class Repair(Value):
    """First the diagnosis, then the edits; no edits means that the model gives up, with the diagnosis as cause."""

    diagnosis: str = Field(max_length=4000)
    edits: tuple[Edit, ...] = Field(default=(), max_length=40)


class AnalyseContext(Value):
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
