"""What becomes of every fault of a server, over real HTTP. None loses a run.

| fault | outcome |
| --- | --- |
| 401, 403, 402 | Missing at once; names the variable that holds the key |
| 404, the model | Missing at once; names the models that there are |
| 404, the address | Missing at once; asks whether the address ends in /v1 |
| 429 with Retry-After | waits as long as asked, 60 s at most, and the whole endpoint with it; then answers |
| 429 without | waits, longer each time; then answers |
| 429, quota used up | Missing at once |
| 500 bursts | tried again; answers, or Missing after 7 tries |
| no first token | tried again after first_token_s; the silent send stays charged at its worst case |
| a stall within the answer | tried again after idle_s; likewise |
| connection refused | tried again; costs nothing; Missing after 3 tries, after 7 once the server was heard of |
| reset before the answer, within it | tried again; stays charged at its worst case |
| a stream that just ends | tried again |
| an error within a stream | tried again |
| a page of HTML | tried again, then Missing |
| truncated JSON | one repair turn |
| an answer that does not fit | one repair turn; the second time NoAnswer "schema", both turns counted |
| no content | NoAnswer "empty" |
| a refusal, a content filter | NoAnswer "refusal" |
| cut off at the length limit | NoAnswer "length"; an answer that is whole all the same is taken |
| 10 MB | reading stops at 2 MB; NoAnswer "length" |
| clock skew | Retry-After dates count from the server's clock |
| odd characters | pass both ways; surrogates that stand alone become U+FFFD |
| context overflow | once more with a shorter prompt; then NoAnswer "length" |
| streaming not heeded, not taken | the answer is taken in one piece |
| JSON schema, tools, JSON mode not taken, not heeded | the next way is tried, and remembered (test_openai_forms) |
| token counts not given | counted at the bound of what was seen |
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from chat_calls import Answer, desk
from llm_server import (
    LlmServer,
    Play,
    breaks_off,
    delta,
    floods,
    raw,
    resets,
    says,
    silent,
    status,
    usage,
)

from eidothea.errors import Missing
from eidothea.state.answer import NoAnswer, Tokens

SEVEN = '{"number": 7}'
FREE = Tokens()
UNKNOWN = Tokens(input=10, output=3, usd=None)


async def refusal_of(error: type[Exception], *script: Play, **settings: Any) -> tuple[Any, LlmServer, Any]:
    """The error that a script ends in, with the server and the desk that met it."""
    async with LlmServer(*script) as server, desk(server.url, **settings) as at:
        with pytest.raises(error) as raised:
            await at.model.answer(at.request())
    return raised.value, server, at


async def answer_of(*script: Play, **settings: Any) -> tuple[Answer, LlmServer, Any]:
    """The answer that a script ends in, with the server and the desk that got it."""
    async with LlmServer(*script) as server, desk(server.url, **settings) as at:
        reply = await at.model.answer(at.request())
    assert not server.script
    return reply.value, server, at


@pytest.mark.parametrize("code", [401, 402, 403])
async def test_a_refused_key_names_where_it_comes_from(code: int) -> None:
    error, server, at = await refusal_of(Missing, status(code, {"message": "bad key"}))
    assert "OPENAI_API_KEY" in str(error)
    assert "bad key" in str(error)
    assert len(server.requests) == 1
    assert at.account.settled == [FREE]


async def test_an_unknown_model_names_those_there_are() -> None:
    missing = status(404, {"message": "The model `m` does not exist", "code": "model_not_found"})
    async with LlmServer(missing) as server, desk(server.url) as at:
        server.models = ["qwen", "llama"]
        with pytest.raises(Missing, match=r"has no model m .*it lists llama, qwen"):
            await at.model.answer(at.request())
    assert at.account.settled == [FREE]


async def test_an_address_where_no_such_server_is_asks_for_v1() -> None:
    async with LlmServer(raw(b"<html>no such page</html>", "text/html", 404)) as server, desk(server.url) as at:
        server.models = None
        with pytest.raises(Missing, match="does the address end in /v1"):
            await at.model.answer(at.request())


@pytest.mark.parametrize(
    ("headers", "waited"),
    [({"Retry_After": "3"}, 3.0), ({"retry_after_ms": "250"}, 0.25), ({"Retry_After": "600"}, 60.0)],
)
async def test_a_busy_server_says_how_long_to_wait(headers: dict[str, str], waited: float) -> None:
    _, _, at = await answer_of(status(429, **headers), says(SEVEN))
    assert at.waits == [waited]
    assert at.account.settled == [FREE, UNKNOWN]
    assert len(at.told) == (waited > 2)
    assert ("asks for 600 s" in "".join(at.told)) == (waited == 60)


async def test_a_busy_server_stops_the_other_requests_too() -> None:
    async with LlmServer(play=lambda body: says(SEVEN)) as server, desk(server.url, requests_at_once=1) as at:
        rested = asyncio.Event()
        starts: list[int] = []

        async def sleep(seconds: float) -> None:
            await asyncio.sleep(0)
            starts.append(len(server.requests))
            rested.set()

        at.model._sender.sleep = sleep
        server.play, later = (lambda body: status(429, Retry_After="9")), server.play
        first = asyncio.create_task(at.model.answer(at.request("first?")))
        second = asyncio.create_task(at.model.answer(at.request("second?", key="r1-02/code/1")))
        await rested.wait()
        server.play = later
        await asyncio.gather(first, second)
    assert starts[0] == 1  # nothing else was sent while the server was to be left alone


async def test_without_a_word_the_waits_grow() -> None:
    _, _, at = await answer_of(status(429), status(429), status(429), says(SEVEN))
    assert at.waits[0] < at.waits[1] < at.waits[2]


async def test_a_used_up_quota_is_not_waited_for() -> None:
    error, server, _ = await refusal_of(Missing, status(429, {"code": "insufficient_quota", "message": "no money"}))
    assert "wants to be paid" in str(error)
    assert len(server.requests) == 1


async def test_bursts_of_500_are_outlived() -> None:
    answer, _, at = await answer_of(*[status(500)] * 6, says(SEVEN))
    assert answer.number == 7
    assert at.account.settled == [FREE] * 6 + [UNKNOWN]


async def test_a_server_that_stays_broken_is_missing() -> None:
    error, server, at = await refusal_of(Missing, *[status(503, {"message": "down"})] * 7)
    assert "does not answer: 503: down" in str(error)
    assert len(server.requests) == 7
    assert at.account.settled == [FREE] * 7


async def test_a_first_token_that_does_not_come_is_asked_for_again() -> None:
    _, _, at = await answer_of(silent(), says(SEVEN), first_token_s=0.5)
    assert at.account.settled == [None, UNKNOWN]


async def test_a_stall_within_the_answer_is_asked_for_again() -> None:
    _, _, at = await answer_of(breaks_off('{"numb', "stalls"), says(SEVEN), idle_s=0.5)
    assert at.account.settled == [None, UNKNOWN]


async def test_thoughts_are_no_silence_and_no_answer() -> None:
    async def play(exchange: Any) -> None:
        await exchange.head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        for _ in range(14):
            await exchange.event(delta({"reasoning_content": "hm {"}))
            await asyncio.sleep(0.05)
        await exchange.event(delta({"content": SEVEN}, "stop"))
        await exchange.event("[DONE]")
        await exchange.chunk(b"")

    answer, server, _ = await answer_of(play, idle_s=0.6)
    assert answer.number == 7
    assert len(server.requests) == 1


async def test_nobody_at_the_address_is_missing_and_costs_nothing() -> None:
    async with LlmServer() as server:
        url = server.url
    async with desk(url) as at:
        with pytest.raises(Missing, match=r"does not answer.*look whether it runs there"):
            await at.model.answer(at.request())
    assert at.account.settled == [FREE] * 3


async def test_a_server_that_was_there_is_given_more_time_to_come_back() -> None:
    async with LlmServer(says(SEVEN)) as server, desk(server.url) as at:
        await at.model.answer(at.request())
        await server.__aexit__()
        with pytest.raises(Missing, match=r"does not answer: [^;]*$"):
            await at.model.answer(at.request("again?"))
    assert at.account.settled[1:] == [FREE] * 7


@pytest.mark.parametrize("broken", [resets(), breaks_off('{"numb', "resets"), breaks_off('{"numb', "ends")])
async def test_a_broken_connection_is_tried_again_and_stays_charged(broken: Play) -> None:
    answer, _, at = await answer_of(broken, says(SEVEN))
    assert answer.number == 7
    assert at.account.settled == [None, UNKNOWN]


async def test_an_error_within_a_stream_is_tried_again() -> None:
    async def play(exchange: Any) -> None:
        await exchange.head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        await exchange.event({"error": {"message": "the engine died", "code": 500}})
        await exchange.chunk(b"")

    _, _, at = await answer_of(play, says(SEVEN))
    assert at.account.settled == [None, UNKNOWN]


async def test_a_page_instead_of_an_answer_is_missing_in_the_end() -> None:
    error, _, _ = await refusal_of(Missing, *[raw(b"<html>hello</html>", "text/html")] * 7)
    assert "no JSON object: '<html>hello</html>'" in str(error)


async def test_truncated_json_is_mended_in_one_turn() -> None:
    answer, server, _ = await answer_of(says('{"number": '), says(SEVEN))
    assert answer.number == 7
    assert server.requests[1]["messages"][2] == {"role": "assistant", "content": '{"number": '}
    assert "no complete JSON object" in server.requests[1]["messages"][3]["content"]


async def test_a_misfit_is_told_and_mended() -> None:
    async with LlmServer(says('{"number": "many"}'), says(SEVEN)) as server, desk(server.url) as at:
        reply = await at.model.answer(at.request())
    assert reply.value.number == 7
    assert (reply.tokens.input, reply.tokens.output) == (20, 6)
    assert "number: Input should be a valid integer" in server.requests[1]["messages"][3]["content"]
    assert '"note"' in server.requests[1]["messages"][3]["content"]  # the schema is shown as well


async def test_a_second_misfit_is_no_answer() -> None:
    error, server, _ = await refusal_of(NoAnswer, says('{"number": "many"}'), says('{"number": "more"}'))
    assert error.why == "schema"
    assert (error.tokens.input, error.tokens.output) == (20, 6)
    assert error.text == '{"number": "more"}'
    assert error.prompt.user == "ask: seven?"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("play", "why", "message"),
    [
        (says(""), "empty", "gave no text"),
        (says(None, refusal="I would rather not"), "refusal", "refused: I would rather not"),
        (says(None, refusal="No.", streams=False), "refusal", "refused: No."),
        (says('{"num', "content_filter"), "refusal", "content filter"),
        (status(400, {"code": "content_filter", "message": "the prompt was filtered"}), "refusal", "declines"),
        (says('{"numb', "length"), "length", "cut off"),
        (says("", "length", thoughts="so many thoughts"), "length", "before it began"),
    ],
)
async def test_what_is_no_answer_says_why(play: Play, why: str, message: str) -> None:
    error, server, at = await refusal_of(NoAnswer, play)
    assert error.why == why
    assert message in str(error)
    assert len(server.requests) == 1
    assert None not in at.account.settled


async def test_an_answer_that_is_whole_at_the_limit_is_taken() -> None:
    answer, _, _ = await answer_of(says(SEVEN + "  ", "length"))
    assert answer.number == 7


@pytest.mark.parametrize("streamed", [True, False])
async def test_ten_megabytes_are_not_read(streamed: bool) -> None:
    error, server, at = await refusal_of(NoAnswer, floods(10_000_000, streamed=streamed))
    assert error.why == "length"
    assert len(error.text) < 3_000_000
    assert at.account.settled[0].output == 16_384
    assert len(server.requests) == 1


async def test_dates_count_from_the_server_s_clock() -> None:
    skewed = status(503, Retry_After="Thu, 01 Jan 2015 00:00:05 GMT", Date="Thu, 01 Jan 2015 00:00:00 GMT")
    _, _, at = await answer_of(skewed, says(SEVEN))
    assert at.waits == [5.0]


ODD = "naïve 数学 🧮 \u2028 \u0085 \x00 \x1b[2J \x7f \u202e end"


@pytest.mark.parametrize("streams", [True, False])
async def test_odd_characters_pass_both_ways(streams: bool) -> None:
    said = json.dumps({"number": 7, "note": ODD}, ensure_ascii=False)
    async with LlmServer(says(said, streams=streams)) as server, desk(server.url) as at:
        reply = await at.model.answer(at.request(ODD))
    assert reply.value.note == ODD
    assert server.requests[0]["messages"][1]["content"] == f"ask: {ODD}"


async def test_surrogates_that_stand_alone_are_replaced() -> None:
    async with LlmServer(says('{"number": 7, "note": "\\ud83d"}')) as server, desk(server.url) as at:
        reply = await at.model.answer(at.request("a\udc80b \ud83e\uddee"))
    assert reply.value.note == "\ufffd"
    assert server.requests[0]["messages"][1]["content"] == "ask: a\ufffdb 🧮"


OVERFLOW = status(400, {"message": "request (2500 tokens) exceeds the available context size (600 tokens)"})
VAGUE = status(400, {"message": "prompt is too long"})


async def test_a_prompt_that_is_too_long_is_shortened_as_the_server_counts() -> None:
    async with LlmServer(OVERFLOW, says(SEVEN), says(SEVEN)) as server, desk(server.url) as at:
        reply = await at.model.answer(at.request("x" * 5000))
        await at.model.answer(at.request("x" * 5000))
    first, second, third = (len(body["messages"][1]["content"]) for body in server.requests)
    assert first > 5000
    assert 500 < second < first * 600 / 2500
    assert third < 3 * 600  # the context is remembered
    assert server.requests[1]["max_tokens"] == 200
    assert reply.prompt.user == server.requests[1]["messages"][1]["content"]
    assert at.account.settled == [FREE, UNKNOWN, UNKNOWN]


async def test_a_prompt_that_is_too_long_by_an_unknown_length_is_halved() -> None:
    async with LlmServer(VAGUE, says(SEVEN)) as server, desk(server.url) as at:
        await at.model.answer(at.request("x" * 5000))
    assert [len(body["messages"][1]["content"]) // 100 for body in server.requests] == [50, 24]


async def test_a_prompt_that_is_still_too_long_is_no_answer() -> None:
    async with LlmServer(OVERFLOW, OVERFLOW) as server, desk(server.url) as at:
        with pytest.raises(NoAnswer, match="longer than the model's context") as raised:
            await at.model.answer(at.request("x" * 5000))
    assert raised.value.why == "length"


async def test_a_server_that_does_not_stream_is_heard_all_the_same() -> None:
    answer, server, at = await answer_of(says(SEVEN, streams=False))
    assert answer.number == 7
    assert server.requests[0]["stream"] is True
    assert at.account.settled == [UNKNOWN]


@pytest.mark.parametrize("streams", [True, False])
async def test_tokens_that_are_not_counted_are_bounded(streams: bool) -> None:
    async with LlmServer(says(SEVEN, tokens={}, streams=streams)) as server, desk(server.url) as at:
        reply = await at.model.answer(at.request())
    sent = len(json.dumps(server.requests[0]["messages"]))
    assert reply.tokens.input >= sent / 2
    assert reply.tokens.output == len(SEVEN)
    assert at.account.settled == [reply.tokens]


async def test_the_worst_case_is_held_before_the_send_and_the_price_settled_after() -> None:
    counted = usage(1000, 50, cached=600)
    prices = {"m": {"input": 2.0, "cached": 0.5, "output": 8.0}}
    async with LlmServer(says(SEVEN, tokens=counted)) as server, desk(server.url, prices=prices) as at:
        reply = await at.model.answer(at.request())
    (worst, spent) = at.account.holds[0]
    assert spent == reply.tokens == Tokens(input=1000, cached=600, output=50, usd=reply.tokens.usd)
    assert spent.usd == pytest.approx((400 * 2 + 600 * 0.5 + 50 * 8) / 1e6)
    assert worst.output == 16_384
    assert worst.usd == pytest.approx((worst.input * 2 + 16_384 * 8) / 1e6)
