"""The research graph's nodes: survey and baseline, then rounds of ideate → experiments → analyse → reflect."""

from __future__ import annotations

from typing import Any

from langgraph.types import Send

from eidothea.agents.idea import IdeaAgent, Proposed
from eidothea.graph.analysis import Analyser
from eidothea.graph.evidence import Evidence
from eidothea.graph.services import Services
from eidothea.graph.trials import Trials
from eidothea.state.answer import NoAnswer
from eidothea.state.base import derived_seed
from eidothea.state.idea import Idea, IdeaDraft
from eidothea.state.record import IdeaRecord
from eidothea.state.run import ExperimentState, ResearchState
from eidothea.state.verdict import Lesson
from eidothea.tools.papers.ranking import rank

Update = dict[str, Any]


class Research:
    """The nodes of the research graph."""

    def __init__(self, services: Services, trials: Trials, evidence: Evidence, analyser: Analyser) -> None:
        self.s, self.trials, self.evidence, self.analyser = services, trials, evidence, analyser

    async def baseline(self, state: ResearchState) -> Update:
        """Noise first: the baseline on every replicate seed, and the minimum detectable effect."""
        results = await self.trials.baseline("replicate", self.evidence.tree_hash_of_baseline)
        noise = self.evidence.noise()
        assert noise is not None, f"{len(results)} baseline trials and no noise"
        run = self.s.ledger.run(self.s.run)
        assert run is not None
        self.s.ledger.put_run(run.model_copy(update={"noise": noise}))
        mde = f"; smallest detectable gain {noise.mde:.4f}" if noise.mde is not None else ""
        said = f"baseline {self.s.task.spec.metric.name} {noise.mean:.4f} ± {noise.sd:.4f} over {noise.n} seeds{mde}"
        self.s.emit("baseline_measured", "", said, noise=noise.model_dump(mode="json"))
        return {}

    async def survey(self, state: ResearchState) -> Update:
        """Papers, ranked by topic and task attributes."""
        if not self.s.ledger.rankings(self.s.run):
            ranked = await rank(
                self.s.models["survey"],
                await self.s.library(),
                self.s.task.spec,
                self.s.request.max_papers,
                threshold=self.s.settings.paper_threshold,
            )
            self.s.ledger.put_rankings(self.s.run, ranked)
        papers = self.s.ledger.rankings(self.s.run)
        best = [p.paper.title for p in papers[:3]]
        said = f"{len(papers)} papers fit the task" + (f", first {best[0]!r}" if best else "")
        self.s.emit("papers_ranked", "", said, n=len(papers), best=best)
        return {}

    async def ideate(self, state: ResearchState) -> Update:
        """Pre-registered ideas for the next round."""
        number = state.round + 1
        known = self.s.ledger.rounds(self.s.run).get(number)
        if known is None:
            await self._propose(number)
            known = self.s.ledger.rounds(self.s.run)[number]
        ideas = list(known["ideas"])
        self.s.emit("round_started", str(number), f"round {number}: {len(ideas)} ideas", round=number, n=len(ideas))
        return {"round": number, "ideas": ideas}

    async def _propose(self, number: int) -> None:
        library = await self.s.library()
        agent = IdeaAgent(self.s.models["idea"], library)
        taken = tuple(r.idea for r in self.s.ledger.ideas(self.s.run) if r.idea.round < number)
        try:
            proposed = await agent.propose(
                self.s.task,
                self.s.request.ideas,
                lessons=self._lessons(),
                papers=self.s.ledger.rankings(self.s.run),
                taken=taken,
                noise=self.evidence.noise(),
                key=f"r{number}/ideas",
                seed=derived_seed(self.s.request.seed, "ideas", number),
            )
        except NoAnswer as none:  # a round without ideas loses nothing; the next one may have some
            proposed = Proposed([], [])
            self.s.emit("warning", f"r{number}/ideas", f"round {number} has no ideas: {none}", round=number)
        cited = {paper for draft in proposed.ideas for paper in draft.citations}
        self.s.ledger.put_papers([paper for paper in map(library.get, sorted(cited)) if paper])
        ideas = [self._register(number, place, draft) for place, draft in enumerate(proposed.ideas, 1)]
        for place, (draft, reason) in enumerate(proposed.dropped, len(ideas) + 1):
            self._drop(number, place, draft, reason)
        value = {"ideas": [i.id for i in ideas], "dropped": len(proposed.dropped), "struck": proposed.struck}
        self.s.ledger.put_round(self.s.run, number, "proposed", value)

    def _lessons(self) -> list[Lesson]:
        return [] if self.s.request.control == "random" else self.analyser.lessons()

    def _register(self, number: int, place: int, draft: IdeaDraft) -> Idea:
        idea = named(number, place, draft)
        if self.s.ledger.idea(self.s.run, idea.id) is None:
            self.s.ledger.put_idea(IdeaRecord(run=self.s.run, idea=idea, status="proposed"))
        self.s.ledger.freeze(self.s.run, idea)
        prediction = idea.hypothesis.prediction
        self.s.emit(
            "idea_proposed",
            idea.id,
            f"{idea.id}: {idea.title}",
            idea=idea.id,
            round=number,
            title=idea.title,
            confidence=prediction.confidence,
            min_effect=prediction.min_effect,
        )
        return idea

    def _drop(self, number: int, place: int, draft: IdeaDraft, reason: str) -> None:
        idea = named(number, place, draft)
        record = IdeaRecord(run=self.s.run, idea=idea, status="dropped", dropped_because=reason)
        self.s.ledger.put_idea(record)
        self.s.emit(
            "idea_dropped",
            idea.id,
            f"{idea.id} dropped: {reason}",
            idea=idea.id,
            round=number,
            title=idea.title,
            reason=reason,
        )

    def send(self, state: ResearchState) -> list[Send] | str:
        """One experiment per idea, side by side; straight to analysis when no idea was left."""
        # Plain values: a checkpoint may only hold types that the research state's own schema names.
        begin = [ExperimentState(run=state.run, idea=idea).model_dump() for idea in state.ideas]
        sends = [Send("experiment", first) for first in begin]
        return sends or "analyse"

    async def analyse(self, state: ResearchState) -> Update:
        """Verdicts of the round, in the order of its ideas, and what the analyst makes of them."""
        for idea in state.ideas:
            await self.analyser.judge(idea)
        return {}

    async def reflect(self, state: ResearchState) -> Update:
        """Numbers and causes of all four verdicts become lessons for the next round."""
        for lesson in self.analyser.lessons():
            if lesson.idea in state.ideas:
                self.s.emit("lesson_learnt", lesson.idea, f"{lesson.idea}: {lesson.text}", idea=lesson.idea)
        value = self.s.ledger.rounds(self.s.run)[state.round]
        self.s.ledger.put_round(self.s.run, state.round, "done", {k: v for k, v in value.items() if k != "status"})
        run = self.s.ledger.run(self.s.run)
        assert run is not None
        self.s.ledger.put_run(run.model_copy(update={"round": state.round}))
        self.s.ledger.backup()
        best = self.analyser.best()
        self.s.emit("round_finished", str(state.round), f"round {state.round} is over", round=state.round, best=best)
        return {"ideas": []}

    def again(self, state: ResearchState) -> str:
        """Another round, or the end."""
        return "ideate" if state.round < self.s.request.rounds else "end"


def named(number: int, place: int, draft: IdeaDraft) -> Idea:
    """The draft with its identity in the run: `r<round>-<place>`."""
    return Idea(**draft.model_dump(), id=f"r{number}-{place:02d}", round=number)
