"""The OpenAI back end against a server of this test, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from eidothea.errors import Missing, ModelMistake, WrongUse
from eidothea.models.openai import OpenAIModel
from eidothea.state.request import Request


class Question(BaseModel):
    text: str


class Answer(BaseModel):
    number: int


class FakeServer:
    """Plays a list of replies: (status, body) each, and keeps the requests."""

    def __init__(self, replies: list[tuple[int, dict[str, Any]]]) -> None:
        self.replies, self.requests, self.keys = list(replies), list[dict[str, Any]](), list[str]()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.requests.append(json.loads(body))
                fake.keys.append(self.headers["Authorization"])
                status, answer = fake.replies.pop(0)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def said(content: str | None, finish: str = "stop", refusal: str | None = None) -> tuple[int, dict[str, Any]]:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return 200, {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
    }


BUSY = (503, {"error": {"message": "busy"}})
REQUEST = Request("ask", "k", Question(text="seven?"), Answer, seed=5)


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[FakeServer] = []

    def start(*replies: tuple[int, dict[str, Any]]) -> tuple[OpenAIModel, FakeServer]:
        server = FakeServer(list(replies))
        servers.append(server)
        options = {"render": lambda name, context: f"{name}: {context.text}", "waits": (0.0, 0.0), "api_key": "k-1"}
        return OpenAIModel.create(f"org/m@{server.url}", options), server

    yield start
    for server in servers:
        server.stop()


async def test_it_sends_the_rendered_prompt_the_schema_and_the_seed(serve: Any) -> None:
    model, server = serve(said('{"number": 7}'))
    reply = await model.answer(REQUEST)
    await model.close()
    assert reply.value == Answer(number=7)
    assert (reply.tokens.input, reply.tokens.output, reply.tokens.usd) == (10, 3, None)
    sent = server.requests[0]
    assert sent["model"] == "org/m"
    assert sent["seed"] == 5
    assert sent["messages"][-1]["content"] == "ask: seven?"
    assert sent["response_format"]["json_schema"]["schema"] == Answer.model_json_schema()
    assert server.keys == ["Bearer k-1"]


@pytest.mark.parametrize(
    "text", ['```json\n{"number": 7}\n```', 'Here:\n```\n{"number": 7}\n```\nDone.', '\n {"number": 7} ']
)
async def test_fences_and_prose_around_the_json_are_forgiven(serve: Any, text: str) -> None:
    model, _ = serve(said(text))
    assert (await model.answer(REQUEST)).value.number == 7
    await model.close()


async def test_a_misfit_is_told_once_and_both_calls_are_counted(serve: Any) -> None:
    model, server = serve(said('{"number": "many"}'), said('{"number": 7}'))
    reply = await model.answer(REQUEST)
    await model.close()
    assert reply.value.number == 7
    assert reply.tokens.input == 20
    assert "number: Input should be a valid integer" in server.requests[1]["messages"][-1]["content"]
    assert server.requests[1]["messages"][-2]["content"] == '{"number": "many"}'


async def test_a_second_misfit_is_the_model_s_mistake(serve: Any) -> None:
    model, server = serve(said("no"), said("no"))
    with pytest.raises(ModelMistake, match="Invalid JSON"):
        await model.answer(REQUEST)
    await model.close()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (said(None, refusal="I would rather not"), "refused: I would rather not"),
        (said('{"numb', finish="length"), "cut off"),
        (said(None, finish="content_filter"), "no text"),
        (said(""), "no text"),
    ],
)
async def test_refusals_and_cut_answers_are_mistakes(serve: Any, reply: Any, message: str) -> None:
    model, _ = serve(reply)
    with pytest.raises(ModelMistake, match=message):
        await model.answer(REQUEST)
    await model.close()


async def test_a_busy_server_is_tried_again(serve: Any) -> None:
    model, server = serve(BUSY, (429, {"error": {"message": "slow down"}}), said('{"number": 7}'))
    assert (await model.answer(REQUEST)).value.number == 7
    await model.close()
    assert len(server.requests) == 3


async def test_a_server_that_stays_busy_is_missing(serve: Any) -> None:
    model, server = serve(BUSY, BUSY, BUSY)
    with pytest.raises(Missing, match="does not answer"):
        await model.answer(REQUEST)
    await model.close()
    assert len(server.requests) == 3


async def test_a_refused_key_is_not_tried_again(serve: Any) -> None:
    model, server = serve((401, {"error": {"message": "bad key"}}))
    with pytest.raises(Missing, match="refuses the request"):
        await model.answer(REQUEST)
    await model.close()
    assert len(server.requests) == 1


async def test_a_server_that_is_not_there_is_missing(serve: Any) -> None:
    model, server = serve()
    server.stop()
    model._waits = ()
    with pytest.raises(Missing, match="does not answer"):
        await model.answer(REQUEST)
    await model.close()


@pytest.mark.parametrize("argument", ["", "@http://h/v1", "m@h:80"])
def test_arguments_that_make_no_sense(argument: str) -> None:
    with pytest.raises(WrongUse):
        OpenAIModel.create(argument, {"render": lambda name, context: ""})
