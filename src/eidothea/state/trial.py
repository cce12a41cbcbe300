"""Trials: one execution of one idea's code with one seed at one stage, and how it ended."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eidothea.state.base import Value
from eidothea.state.task import Stage

Outcome = Literal["exited", "timeout", "memory", "pids", "disk", "output", "killed", "infrastructure"]
FailureKind = Literal[
    "exception",
    "syntax",
    "import",
    "memory",
    "timeout",
    "limit",
    "exit",
    "divergence",
    "artifact",
    "predictions",
    "unchanged",
    "edit",
    "model",
]


class TrialKey(Value):
    """What identifies a trial within a run; `attempt` counts the repairs made before it."""

    idea: str
    stage: Stage
    seed: int
    attempt: int = 0

    @property
    def folder(self) -> str:
        """The trial's folder under `trials/`."""
        return f"{self.idea}/{self.stage}-{self.seed}-{self.attempt}"


class Usage(Value):
    """What one command in a workspace used. Seconds, MiB and bytes."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0
    gpu_memory_mb: float = 0.0
    gpu_s: float = 0.0
    written_mb: float = 0.0


class Ending(Value):
    """How a command in a workspace ended; `exit_code` is None unless it exited by itself."""

    outcome: Outcome
    exit_code: int | None = None
    detail: str = ""
    usage: Usage = Usage()

    @property
    def ok(self) -> bool:
        return self.outcome == "exited" and self.exit_code == 0


class Frame(Value):
    """One stack frame of the candidate's own files; `line` counts from 1."""

    path: str
    line: int
    function: str
    code: str = ""


class Failure(Value):
    """Why a trial did not produce a grade, from whatever evidence there is."""

    kind: FailureKind
    message: str
    exception: str = ""
    step: Literal["train", "predict", "grade", "code"] = "train"
    frames: tuple[Frame, ...] = ()
    log_tail: str = ""

    @property
    def signature(self) -> str:
        """Equal for two failures that are the same problem at the same place."""
        where = self.frames[-1] if self.frames else None
        place = f"{where.path}:{where.function}:{where.code}" if where else ""
        return f"{self.kind}|{self.exception}|{place}"


class Grade(Value):
    """What the trusted grader printed, and what it was about."""

    valid: bool
    metrics: dict[str, float] = Field(default_factory=dict)
    feedback: str = ""
    reason: str = ""
    predictions_sha: str = ""


class Environment(Value):
    """Where a trial ran: enough to say whether two trials may be compared."""

    python: str
    packages: dict[str, str] = Field(default_factory=dict)
    cpu: str = ""
    gpu: str = ""
    workspace: str = ""


class TrialResult(Value):
    """A finished trial: a score, or a failure. `score` is the task metric when the grade is valid."""

    key: TrialKey
    score: float | None = None
    grade: Grade | None = None
    failure: Failure | None = None
    train: Usage = Usage()
    predict: Usage = Usage()
    tree_hash: str = ""
    task_hash: str = ""
    reused_from: str = ""
