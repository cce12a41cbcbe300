"""What a shown prompt is about: an idea of a run, as the ledger has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eidothea.cli.example import Example, Failing, Judged, example_failure, example_verdict
from eidothea.errors import Missing
from eidothea.protocols import Model
from eidothea.settings import Settings
from eidothea.state.base import derived_seed
from eidothea.state.idea import Idea
from eidothea.state.record import IdeaRecord, RunRecord
from eidothea.state.verdict import Lesson
from eidothea.tools.tasks import Task

if TYPE_CHECKING:
    from eidothea.agents.idea import Proposed
    from eidothea.ledger.store import Ledger
    from eidothea.state.paper import RankedPaper


@dataclass
class Known:
    """An idea of a run, from the ledger; an example stands in for a failure or a verdict that it does not have."""

    task: Task
    settings: Settings
    tell: Callable[[str], None]
    ledger: Ledger
    run: RunRecord
    record: IdeaRecord

    @property
    def idea(self) -> Idea:
        return self.record.idea

    async def ranked(self, model: Model) -> list[RankedPaper]:
        return await Example(self.task, self.settings, self.tell).ranked(model)

    async def proposed(self, model: Model) -> Proposed:
        """The ideas of the round in which this one was proposed, from what was known then."""
        from eidothea.agents.idea import IdeaAgent

        number, request = self.idea.round, self.run.request
        agent = IdeaAgent(model, Example(self.task, self.settings, self.tell).library)
        return await agent.propose(
            self.task,
            request.ideas,
            self._lessons() if request.control != "random" else (),
            papers=self.ledger.rankings(self.run.id),
            taken=[r.idea for r in self.ledger.ideas(self.run.id) if r.idea.round < number],
            noise=self.run.noise,
            key=f"r{number}/ideas",
            seed=derived_seed(request.seed, "ideas", number),
        )

    def _lessons(self) -> list[Lesson]:
        from eidothea.graph.analysis import lesson_of

        verdicts, ideas = self.ledger.verdicts(self.run.id), self.ledger.ideas(self.run.id)
        earlier = [r for r in ideas if r.idea.round < self.idea.round and r.idea.id in verdicts]
        return [lesson_of(record, verdicts[record.idea.id]) for record in earlier]

    def failing(self) -> Failing:
        attempts = self.ledger.attempts(self.run.id, self.idea.id)
        written = self.record.edits
        if attempts:
            last = attempts[-1]
            files = self._files(last.tree_before)
            return Failing(files, last.failure, last.number, tuple(attempts[:-1]), written)
        files = self._files(self.record.tree_hash)
        failed = [t.failure for t in self.ledger.trials(self.run.id, self.idea.id) if t.failure]
        if failed:
            return Failing(files, failed[-1], written=written)
        self.tell(f"the failure is an example: no trial of {self.idea.id} failed")
        return Failing(files, example_failure(files), written=written)

    def judged(self) -> Judged:
        from eidothea.graph.analysis import mean_metrics

        verdict = self.ledger.verdicts(self.run.id).get(self.idea.id)
        if verdict is None:
            self.tell(f"the verdict is an example: {self.idea.id} has none yet")
            return example_verdict(self.task, self.idea)
        metrics = mean_metrics(self.ledger, self.run.id, self.idea.id)
        return Judged(verdict, self.run.noise, metrics, self.record.failure)

    def _files(self, tree: str) -> dict[str, str]:
        from eidothea.tools.trials.trees import CodeStore

        store = self.settings.runs_dir / self.run.id / "code.git"
        if not tree or not store.is_dir():
            raise Missing(
                f"idea {self.idea.id} of run {self.run.id} has no code in {store}, so nothing can be repaired"
            )
        return CodeStore(store).files(tree)
