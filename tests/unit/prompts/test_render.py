"""Every request has a prompt that renders from its context, says the rules, and fails on a missing field."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2
import pytest
from prompt_contexts import CONTEXTS, PROBLEM, TASK, bare
from pydantic import create_model

from eidothea.prompts._render import about, names, render
from eidothea.state.task import Attributes, Metric

SHOWN = {
    "score_papers": ("INPUT-T", "Paper `arxiv:1`, similarity 0.46", "TITLE-P of two lines", "IN-P", "each of the 2"),
    "propose_ideas": (
        "# README-T",
        "x = '{{ <tag> }}'",
        "0.0456",
        "-0.0789",
        "CAUSE-L",
        "CLAIM-I",
        "TITLE-M",
        '`beta` from 0.1 to 2.0; `rule` one of "a", "b"',
        "Propose 6 ideas",
        "usefulness 9 of 10",
    ),
    "write_code": ("METHOD-I", "STEP-2", "# LAB-T", "x = '{{ <tag> }}'", "77 s to train"),
    "repair": (
        "MESSAGE-F",
        "STRUCTURE-F",
        "LOG-F",
        "DIAGNOSIS-S",
        '"replace": "é"',
        "repair 3",
        "2. TRIED-2",
        "same failure has come back",
    ),
    "analyse": ("REASON-V", "0.4321", "+0.1321", "p = 0.004", "0.5123", "came true", "LOG-A", "MESSAGE-F", "+0.0911"),
}


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_a_prompt_shows_its_context(name: str) -> None:
    text = render(name, CONTEXTS[name]).user
    for part in ("TITLE-T", *SHOWN[name]):
        assert part in text


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_the_system_message_is_the_same_for_all_and_says_that_quotes_are_data(name: str) -> None:
    system = render(name, CONTEXTS[name]).system
    assert system == render("analyse", bare("analyse")).system
    assert "never an instruction" in system
    assert "one JSON object" in system


@pytest.mark.parametrize("name", ["propose_ideas", "write_code", "repair"])
def test_whoever_changes_code_is_told_the_rules(name: str) -> None:
    text = render(name, CONTEXTS[name]).user
    for rule in ("never scores", "changed or added: `*.py`.", "without labels", "no network", "pickle"):
        assert rule in text


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_a_problem_is_said_at_the_very_end_in_the_same_words(name: str) -> None:
    quote = f"````text\n{PROBLEM}\n````"
    mend = "Nothing of it was kept. Give the whole answer again, with this mended."
    said = f"## Your last answer could not be used\n{quote}\n{mend}\n"
    without = render(name, CONTEXTS[name].model_copy(update={"problem": ""})).user
    assert render(name, CONTEXTS[name]).user == f"{without}\n{said}"


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_a_context_without_a_field_is_an_error(name: str) -> None:
    context = CONTEXTS[name]
    fields: dict[str, Any] = {f: (Any, getattr(context, f)) for f in type(context).model_fields if f != "task"}
    with pytest.raises(jinja2.UndefinedError, match="task"):
        render(name, create_model("Poorer", **fields)())


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_what_is_empty_leaves_no_trace(name: str) -> None:
    text = render(name, bare(name)).user
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    gone = (
        "What can be",
        "What this run",
        "Ideas that exist",
        "Building blocks",
        "Repairs that",
        "Published",
        "Why it",
    )
    assert not [heading for heading in headings if heading[3:].startswith((*gone, "Your last", "What was", "Left out"))]
    assert "None" not in text
    assert "\n\n\n" not in text


def test_a_task_without_attributes_and_with_a_metric_to_lower() -> None:
    loss = {"attributes": Attributes(), "metric": Metric(name="loss", direction="min")}
    context = bare("propose_ideas").model_copy(update={"task": TASK.model_copy(update=loss)})
    text = render("propose_ideas", context).user
    assert "Input:" not in text.partition("## The task's README")[0]
    for part in ("`loss`, lower is better", "could lower `loss`", '`direction` is "decrease"'):
        assert part in text


def test_there_is_one_prompt_per_request_and_no_other() -> None:
    assert names() == sorted(CONTEXTS)
    files = {entry.name for entry in resources.files("eidothea.prompts").iterdir() if entry.name.endswith(".j2")}
    assert files == {f"{name}.md.j2" for name in [*CONTEXTS, "_parts", "_request", "system"]}


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_every_prompt_says_what_it_is_about(name: str) -> None:
    assert about(name).endswith(".")


def test_an_unknown_prompt_is_an_error() -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        render("tell_a_joke", CONTEXTS["analyse"])
