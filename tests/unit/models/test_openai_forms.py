"""Servers that do not understand all of the protocol: what they refuse, or do not heed, is put another way, once."""

from __future__ import annotations

from typing import Any

import pytest
from chat_calls import desk
from llm_server import LlmServer, Play, says, status

from eidothea.errors import Missing
from eidothea.state.answer import Tokens

SEVEN = '{"number": 7}'
FREE = Tokens()
UNKNOWN = Tokens(input=10, output=3, usd=None)


def picky(*refused: str, named: bool = True, ignored: tuple[str, ...] = ()) -> Any:
    """A server that refuses some fields or kinds of answer, and lets others pass without heeding them."""

    def kinds(body: dict[str, Any]) -> set[str]:
        found = set(body) | {str(body.get("response_format", {}).get("type"))}
        return found | ({"system"} if body["messages"][0]["role"] == "system" else set())

    def play(body: dict[str, Any]) -> Play:
        for kind in refused:
            if kind in kinds(body):
                return status(400, {"message": f"{kind} is not supported here" if named else "bad request"})
        if any(kind in kinds(body) for kind in ignored):
            return says("Seven, I should think.")
        return says(f"Here you are:\n```json\n{SEVEN}\n```" if "response_format" not in body else SEVEN)

    return play


LADDER = ("json_schema", "tools", "json_object")


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("rungs", [1, 2, 3])
async def test_kinds_of_answers_that_are_refused_are_stepped_down_from_once(named: bool, rungs: int) -> None:
    async with LlmServer(play=picky(*LADDER[:rungs], named=named)) as server, desk(server.url) as at:
        assert (await at.model.answer(at.request())).value.number == 7
        tries = len(server.requests)
        assert (await at.model.answer(at.request("again?"))).value.number == 7
    assert tries == rungs + 1
    assert len(server.requests) == tries + 1  # remembered
    assert at.account.settled == [FREE] * rungs + [UNKNOWN] * 2
    shown = '"number"' in server.requests[-1]["messages"][1]["content"]
    assert shown == (rungs > 1)  # the schema is in the prompt where nothing else carries it
    assert at.told


@pytest.mark.parametrize("rungs", [1, 2, 3])
async def test_kinds_of_answers_that_are_not_heeded_are_stepped_down_from_once(rungs: int) -> None:
    async with LlmServer(play=picky(ignored=LADDER[:rungs])) as server, desk(server.url) as at:
        assert (await at.model.answer(at.request())).value.number == 7
        assert (await at.model.answer(at.request("again?"))).value.number == 7
    assert len(server.requests) == rungs + 2


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("field", ["stream_options", "seed", "temperature", "max_tokens", "system", "stream"])
async def test_fields_that_are_refused_are_left_out_once(field: str, named: bool) -> None:
    word = "the system role" if field == "system" and named else field

    def play(body: dict[str, Any]) -> Play:
        found = body["messages"][0]["role"] == "system" if field == "system" else field in body
        return (
            status(400, {"message": f"{word} is not supported" if named else "bad request"}) if found else says(SEVEN)
        )

    async with LlmServer(play=play) as server, desk(server.url, temperature=0.3) as at:
        assert (await at.model.answer(at.request())).value.number == 7
        tries = len(server.requests)
        assert (await at.model.answer(at.request("again?"))).value.number == 7
    assert len(server.requests) == tries + 1
    assert tries == 2 or not named
    last = server.requests[-1]
    assert last["response_format"]["type"] == "json_schema"  # nothing else was given up
    kept = {"stream", "stream_options", "seed", "temperature", "max_tokens"} - {field}
    assert kept - {"stream_options" if field == "stream" else ""} <= set(last)


async def test_a_limit_that_is_too_high_is_lowered() -> None:
    def play(body: dict[str, Any]) -> Play:
        if body["max_tokens"] > 4096:
            return status(400, {"message": "max_tokens is too large: this model supports at most 4096 tokens"})
        return says(SEVEN)

    async with LlmServer(play=play) as server, desk(server.url) as at:
        assert (await at.model.answer(at.request())).value.number == 7
    assert [body["max_tokens"] for body in server.requests] == [16_384, 4096]


async def test_a_server_that_refuses_everything_is_missing() -> None:
    async with LlmServer(play=lambda body: status(422, {"message": "no"})) as server, desk(server.url) as at:
        with pytest.raises(Missing, match="refuses the request, however it is put: 422: no"):
            await at.model.answer(at.request())
    assert set(at.account.settled) == {FREE}
