"""The OpenAI back end against a fake server, over real HTTP; what becomes of its faults is in test_openai_faults."""

from __future__ import annotations

import asyncio
import json

import pytest
from chat_calls import Answer, desk, fake_render
from llm_server import LlmServer, Play, says, status

from eidothea.errors import BudgetSpent, Missing, WrongUse
from eidothea.models.openai import OpenAIModel
from eidothea.protocols import ModelOptions
from eidothea.settings import Price, Settings
from eidothea.state.answer import Tokens

SEVEN = '{"number": 7}'


def options(**settings: object) -> ModelOptions:
    return ModelOptions(fake_render, Settings(**settings))


async def test_it_sends_the_prompt_the_schema_and_what_else_decides_the_answer() -> None:
    async with LlmServer(says(SEVEN)) as server, desk(server.url, "org/m", temperature=0.2) as at:
        reply = await at.model.answer(at.request())
    assert reply.value == Answer(number=7)
    assert reply.text == SEVEN
    assert reply.prompt == fake_render("ask", at.request().context)
    assert reply.tokens == Tokens(input=10, output=3, usd=None)
    sent = server.requests[0]
    assert (sent["model"], sent["seed"], sent["temperature"], sent["max_tokens"]) == ("org/m", 5, 0.2, 16_384)
    assert [m["content"] for m in sent["messages"]] == ["You answer.", "ask: seven?"]
    assert sent["response_format"]["json_schema"] == {"name": "ask", "schema": Answer.model_json_schema()}
    assert sent["stream_options"] == {"include_usage": True}
    assert server.headers[0]["authorization"] == "Bearer k-1"


async def test_neither_key_nor_address_is_among_its_parameters() -> None:
    async with desk("http://127.0.0.1:9/v1", "m", max_output_tokens=100) as at:
        assert at.model.parameters == {"model": "m", "temperature": None, "max_output_tokens": 100}
        assert at.model.name == "openai:m"


async def test_a_known_context_shortens_the_prompt_and_the_answer() -> None:
    async with LlmServer(says(SEVEN)) as server, desk(server.url, context_tokens=1200) as at:
        reply = await at.model.answer(at.request("x" * 9000))
    sent = server.requests[0]
    assert sent["max_tokens"] == 400
    assert len(sent["messages"][1]["content"]) < (1200 - 400) * 3
    assert reply.prompt.user == sent["messages"][1]["content"]


async def test_no_more_are_sent_at_once_than_the_settings_say() -> None:
    async with (
        LlmServer(play=lambda body: says(SEVEN, before_s=0.02)) as server,
        desk(server.url, requests_at_once=2) as at,
    ):
        await asyncio.gather(*(at.model.answer(at.request(key=f"r1-0{n}/code/1")) for n in range(6)))
    assert len(server.requests) == 6
    assert server.most_at_once == 2


async def test_models_of_one_server_share_its_limits() -> None:
    server = LlmServer(play=lambda body: says(SEVEN, before_s=0.02))
    async with server, desk(server.url, "a", requests_at_once=2) as a, desk(server.url, "b", requests_at_once=2) as b:
        await asyncio.gather(*(at.model.answer(at.request()) for at in (a, b) for _ in range(3)))
    assert server.most_at_once == 2


async def test_a_budget_that_cannot_bear_the_send_stops_it() -> None:
    class Spent:
        def hold(self, worst: Tokens) -> object:
            raise BudgetSpent("no more")

    async with LlmServer() as server, desk(server.url) as at:
        at.account = Spent()  # type: ignore[assignment]
        with pytest.raises(BudgetSpent):
            await at.model.answer(at.request())
    assert server.requests == []


async def test_a_cancelled_call_stays_charged_and_leaves_its_place() -> None:
    hangs = [True]

    def play(body: dict[str, object]) -> Play:
        return says(SEVEN, before_s=30.0 if hangs.pop() else 0.0)

    async with LlmServer(play=play) as server, desk(server.url, requests_at_once=1) as at:
        call = asyncio.create_task(at.model.answer(at.request()))
        while not server.requests:  # noqa: ASYNC110 - the server's side
            await asyncio.sleep(0.005)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        hangs.append(False)
        assert (await at.model.answer(at.request())).value.number == 7
    assert [spent is None for spent in at.account.settled] == [True, False]


async def test_what_one_request_teaches_holds_for_another_only_where_it_must() -> None:
    """A schema that the server will not take is no reason to stop using schemas."""

    def play(body: dict[str, object]) -> Play:
        bad = "bad" in json.dumps(body["messages"]) and "response_format" in body
        return status(400, {"message": "Invalid schema for response_format"}) if bad else says(SEVEN)

    async with LlmServer(play=play) as server, desk(server.url) as at:
        await at.model.answer(at.request())
        odd = at.request("bad")
        object.__setattr__(odd, "name", "other")
        await at.model.answer(odd)
        await at.model.answer(at.request())
    assert ["response_format" in body for body in server.requests] == [True, True, False, True]


def test_a_price_comes_from_the_settings_or_for_openai_from_the_table() -> None:
    mine = {"m": {"input": 1, "output": 2}, "m@there.example": {"input": 3, "output": 4}}
    made = options(prices=mine, OPENAI_API_KEY="k")
    assert OpenAIModel.create("m@http://here.example/v1", made).price == Price(input=1, output=2)
    assert OpenAIModel.create("m@http://there.example/v1", made).price == Price(input=3, output=4)
    assert OpenAIModel.create("gpt-4.1@http://there.example/v1", made).price is None
    assert OpenAIModel.create("gpt-4.1", made).price == Price(input=2, cached=0.5, output=8)


def test_openai_s_own_server_is_asked_strictly_and_with_its_own_name_of_the_limit() -> None:
    model = OpenAIModel.create("m-strictly", options(OPENAI_API_KEY="k"))
    form = model._dialect.form
    assert (form.mode, form.limit) == ("strict", "max_completion_tokens")
    assert model.served.endpoint == "https://api.openai.com/v1"


def test_the_environment_may_name_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://10.0.0.1/v1/")
    model = OpenAIModel.create("gpt-4.1", options())
    assert (model.served.endpoint, model.price) == ("http://10.0.0.1/v1", None)


def test_openai_s_own_server_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(Missing, match="OPENAI_API_KEY"):
        OpenAIModel.create("gpt-4.1", options())


@pytest.mark.parametrize("argument", ["", "@http://h/v1", "m@h:80", "m@http://"])
def test_arguments_that_make_no_sense(argument: str) -> None:
    with pytest.raises(WrongUse):
        OpenAIModel.create(argument, options())
