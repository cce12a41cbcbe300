"""The debugger agent repairs by what it is shown, and gives up with a cause."""

from __future__ import annotations

from typing import Any

from eidothea.agents.debugger import DebuggerAgent
from eidothea.models.catalogue import Catalogue
from eidothea.state.edit import Edit
from eidothea.state.record import AttemptRecord
from eidothea.state.request import Repair
from eidothea.state.trial import Failure, Frame
from eidothea.tools.tasks import Task

FILE = "experiment.py"
CODE = "import json\n\n\ndef f(count):\n    return json.dumps(cuont)\n"
TREE = {FILE: CODE}
FAILURE = Failure(
    kind="exception",
    message="name 'cuont' is not defined",
    exception="NameError",
    frames=(Frame(path=FILE, line=5, function="f", code="return json.dumps(cuont)"),),
)
FIX = (Edit(path=FILE, search="cuont", replace="count"),)


def past(*edits: Edit, failure: Failure = FAILURE) -> AttemptRecord:
    return AttemptRecord(run="r", idea="r1-01", number=1, failure=failure, diagnosis="a guess", edits=edits)


async def test_the_catalogue_repairs_by_rule(task: Task, idea: Any) -> None:
    done = await DebuggerAgent(Catalogue()).repair(task, idea(), TREE, FAILURE, 1)
    assert done.files[FILE] == CODE.replace("cuont", "count")
    assert "count was meant" in done.diagnosis
    assert not done.gave_up


async def test_the_catalogue_gives_up_with_the_cause_when_no_rule_fits(task: Task, idea: Any) -> None:
    failure = Failure(kind="predictions", message="id 7 is missing")
    done = await DebuggerAgent(Catalogue()).repair(task, idea(), TREE, failure, 1)
    assert done.gave_up
    assert done.files == TREE
    assert "id 7 is missing" in done.diagnosis


async def test_a_suggestion_that_was_tried_is_not_offered_again(task: Task, idea: Any, scripted: Any) -> None:
    first = scripted(Repair(diagnosis="d"))
    await DebuggerAgent(first).repair(task, idea(), TREE, FAILURE, 1)
    tried = first.requests[0].context.suggestions
    second = scripted(Repair(diagnosis="d"))
    await DebuggerAgent(second).repair(task, idea(), TREE, FAILURE, 2, [past(*tried[0].edits)])
    assert [s.rule for s in tried] == ["misspelt"]
    assert second.requests[0].context.suggestions == ()


async def test_the_same_failure_again_widens_what_is_shown(task: Task, idea: Any, scripted: Any) -> None:
    model = scripted(Repair(diagnosis="d"), Repair(diagnosis="d"))
    agent = DebuggerAgent(model)
    other = past(failure=Failure(kind="timeout", message="slow"))
    await agent.repair(task, idea(), TREE, FAILURE, 2, [other])
    await agent.repair(task, idea(), TREE, FAILURE, 2, [past()])
    once, again = (request.context for request in model.requests)
    assert (once.repeated, again.repeated) == (False, True)
    assert "Whole file" not in once.structure.text
    assert f"Whole file {FILE}" in again.structure.text


async def test_unusable_edits_are_told_and_tried_again(task: Task, idea: Any, scripted: Any) -> None:
    bad = Repair(diagnosis="no", edits=(Edit(path=FILE, search="absent", replace="x"),))
    model = scripted(bad, Repair(diagnosis="yes", edits=FIX))
    done = await DebuggerAgent(model).repair(task, idea(), TREE, FAILURE, 1, key="k")
    assert "does not occur" in model.requests[1].context.problem
    assert (done.diagnosis, done.edits) == ("yes", FIX)


async def test_three_unusable_answers_end_in_giving_up(task: Task, idea: Any, scripted: Any) -> None:
    bad = Repair(diagnosis="no", edits=(Edit(path=FILE, search="absent", replace="x"),))
    done = await DebuggerAgent(scripted(bad, bad, bad)).repair(task, idea(), TREE, FAILURE, 1)
    assert done.gave_up
    assert "3 tries" in done.diagnosis


async def test_the_edit_that_wrote_the_failing_lines_is_shown(task: Task, idea: Any, scripted: Any) -> None:
    model = scripted(Repair(diagnosis="d"))
    written = [Edit(path=FILE, search="return json.dumps(total)", replace="return json.dumps(cuont)")]
    await DebuggerAgent(model).repair(task, idea(), TREE, FAILURE, 1, written=written)
    assert "json.dumps(total)" in model.requests[0].context.structure.text
