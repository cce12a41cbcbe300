"""`doctor --model`: asks each model once, over real HTTP, and says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from calls import Call
from llm_server import LlmServer, says, silent, status

from eidothea.cli import ping
from eidothea.models._chat.dialect import forget

READY = '{"ready": "yes"}'
ROLES = ["survey", "idea", "coder", "debugger", "analyst"]


@pytest.fixture(autouse=True)
def _unknown_servers() -> None:
    forget()


@contextmanager
def serving(*script: Callable[..., object]) -> Iterator[LlmServer]:
    """The fake server in a loop of its own: the command line under test makes its own one too."""
    loop, server = asyncio.new_event_loop(), LlmServer(*script)  # type: ignore[arg-type]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_model_that_answers(call: Call) -> None:
    with serving(says(READY)) as server:
        done = call("doctor", "--model", f"openai:some-model@{server.url}", "--json")
    assert done.code == 0
    (found,) = done.json()["models"]
    assert (done.json()["works"], found["ok"], found["roles"]) == (True, True, ROLES)
    assert (found["tokens"]["input"], found["tokens"]["output"], found["price_known"]) == (10, 3, False)
    assert found["seconds"] > 0
    assert found["structured"] == "a JSON schema"
    assert len(server.requests) == 1


def test_it_reads_well(call: Call) -> None:
    with serving(says(READY)) as server:
        done = call("doctor", "--model", f"coder=openai:some-model@{server.url}")
    assert max(len(line) for line in done.out.splitlines()) <= 80
    said = " ".join(done.out.split())
    assert "budgets in dollars), asked with a JSON schema" in said
    assert said.endswith("can work here")


def test_a_price_that_is_set_is_known(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIDOTHEA_PRICES", '{"some-model": {"input": 1, "output": 2}}')
    with serving(says(READY)) as server:
        done = call("doctor", "--model", f"openai:some-model@{server.url}", "--json")
    (found,) = done.json()["models"]
    assert found["price_known"]
    assert "$1 and $2 per million tokens" in found["detail"]
    assert found["tokens"]["usd"] == pytest.approx(16e-6)


@pytest.mark.parametrize(
    ("play", "said"),
    [
        (status(401), "key"),
        (status(404, {"message": "The model some-model does not exist"}), "some-model"),
        (says("I would rather not.", refusal="I would rather not."), "refusal"),
    ],
    ids=["key", "model", "refusal"],
)
def test_what_is_wrong_is_said(call: Call, play: Callable[..., object], said: str) -> None:
    with serving(*[play] * 10) as server:
        done = call("doctor", "--model", f"openai:some-model@{server.url}", "--json")
    (found,) = done.json()["models"]
    assert (done.code, done.json()["works"], found["ok"]) == (4, False, False)
    assert said in found["detail"]


def test_a_silent_server_is_given_up(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ping, "ANSWER_S", 0.2)
    with serving(silent()) as server:
        done = call("doctor", "--model", f"openai:some-model@{server.url}", "--json")
    (found,) = done.json()["models"]
    assert (done.code, found["detail"]) == (4, "no answer within 0.2 s")


def test_a_model_that_cannot_be_made_does_not_hide_the_others(call: Call) -> None:
    done = call("doctor", "--model", "idea=openai:gpt-x,coder=llamacpp:/nowhere/model.gguf", "--json")
    found = {tuple(row["roles"]): row for row in done.json()["models"]}
    assert done.code == 4
    assert "OPENAI_API_KEY" in found["idea",]["detail"]
    assert "/nowhere/model.gguf" in found["coder",]["detail"] or "llamacpp" in found["coder",]["detail"]
    assert found["survey", "debugger", "analyst"]["ok"]


def test_a_person_is_not_asked(call: Call) -> None:
    (found,) = call("doctor", "--model", "inbox:letters", "--json").json()["models"]
    assert (found["ok"], found["detail"]) == (True, "a person answers here, so it was not asked")


def test_a_spec_that_makes_no_sense_is_wrong_use(call: Call) -> None:
    done = call("doctor", "--model", "nonsense:x")
    assert (done.code, done.out) == (2, "")
    assert "no model is called 'nonsense'" in done.err
