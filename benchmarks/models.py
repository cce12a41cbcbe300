"""What a model call costs over the bare openai client, with many calls at once.

    python benchmarks/models.py [--at-once 32] [--calls 640] [--seconds 1] [--parts 1] [--whole] [--json]

Both sides ask the same fake server, which runs in a process of its own and answers after about so many seconds in so
many parts, with the same prompt and JSON schema, streamed with token counts, and check the answer against its type.
They take turns, batch by batch; the overhead is the median over pairs of the same request. One part is the least
favourable to the back end, which reads streams faster than the package; with `--whole` the bare side does not stream at
all. The bare side is one call of the openai package; the other is the whole back end: pace, budget hold, time-outs,
retries, parsing. On a busy machine the time a call takes says little: the processor's time is given as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from pydantic import BaseModel

from eidothea.models._chat.client import new_client
from eidothea.models.openai import OpenAIModel
from eidothea.protocols import ModelOptions
from eidothea.settings import Settings
from eidothea.state.answer import Prompt
from eidothea.state.request import Context, Request

SERVER = Path(__file__).resolve().parents[1] / "tests" / "support" / "llm_server.py"
PROMPT = Prompt("You answer.", "A line of a prompt of twenty thousand characters.\n" * 400)
TARGET_MS = 2.0
BATCHES = 10

Call = Callable[[int], Awaitable[object]]


class Answer(BaseModel):
    number: int
    note: str


SCHEMA = Answer.model_json_schema()


def prompt(name: str, context: Context, room: int | None = None) -> Prompt:
    return PROMPT


@contextmanager
def serving(seconds: float, parts: int) -> Iterator[str]:
    """The address of a fake server in a process of its own."""
    command = [sys.executable, str(SERVER), str(seconds), str(parts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def body(n: int) -> dict[str, Any]:
    """What both sides send."""
    schema = {"name": "ask", "schema": SCHEMA}
    return {
        "model": "m",
        "messages": [{"role": "system", "content": PROMPT.system}, {"role": "user", "content": PROMPT.user}],
        "max_tokens": 16_384,
        "seed": n,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def bare_whole(client: AsyncOpenAI) -> Call:
    """One call of the openai package, the answer in one piece."""

    async def call(n: int) -> Answer:
        completion = await client.chat.completions.create(**body(n))
        assert completion.usage is not None
        return Answer.model_validate_json(completion.choices[0].message.content)

    return call


def bare(client: AsyncOpenAI) -> Call:
    """One call of the openai package, streamed, and no more than an answer needs."""

    async def call(n: int) -> Answer:
        stream = await client.chat.completions.create(**body(n), stream=True, stream_options={"include_usage": True})
        text, counted = "", None
        async for chunk in stream:
            counted = chunk.usage or counted
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
        assert counted is not None
        return Answer.model_validate_json(text)

    return call


def backed(model: OpenAIModel) -> Call:
    """The same through the back end."""

    async def call(n: int) -> Answer:
        return (await model.answer(Request("ask", f"r1-{n % 8:02d}/code/1", Context(), Answer, n))).value

    return call


async def batch(call: Call, calls: int, at_once: int) -> list[float]:
    """The milliseconds of each of so many calls, so many at once, in the order of their numbers."""
    took = [0.0] * calls
    numbers = iter(range(calls))

    async def worker() -> None:
        for n in numbers:
            started = time.perf_counter()
            await call(n)
            took[n] = 1000 * (time.perf_counter() - started)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return took


class Side:
    """One side's calls: the milliseconds that each took, and the processor's milliseconds for all of them."""

    def __init__(self, call: Call) -> None:
        self.call, self.took, self.cpu = call, list[float](), 0.0

    async def run(self, calls: int, at_once: int, counts: bool) -> None:
        began = time.process_time()
        took = await batch(self.call, calls, at_once)
        if counts:
            self.took += took
            self.cpu += 1000 * (time.process_time() - began)


async def measure(url: str, calls: int, at_once: int, whole: bool = False) -> tuple[Side, Side]:
    """The bare side and the back end's."""
    client = new_client(url)
    settings = Settings(requests_at_once=at_once)
    model = OpenAIModel.create(f"m@{url}", ModelOptions(prompt, settings))
    sides = Side((bare_whole if whole else bare)(client)), Side(backed(model))
    for number in range(BATCHES + 1):  # the first batch opens the connections
        for side in sides if number % 2 else reversed(sides):
            await side.run(calls // BATCHES, at_once, counts=number > 0)
    await client.close()
    await model.close()
    return sides


def found(bare: Side, backed: Side) -> dict[str, float]:
    """What is printed: medians of the time a call took, of one side and of the difference; means of the processor's."""
    return {
        "bare_ms": statistics.median(bare.took),
        "backed_ms": statistics.median(backed.took),
        "over_ms": statistics.median(b - a for a, b in zip(bare.took, backed.took, strict=True)),
        "bare_cpu_ms": bare.cpu / len(bare.took),
        "backed_cpu_ms": backed.cpu / len(backed.took),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--calls", type=int, default=640)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with serving(args.seconds, args.parts) as url:
        numbers = found(*asyncio.run(measure(url, args.calls, args.at_once, args.whole)))
    over = numbers["over_ms"]
    if args.json:
        print(json.dumps(vars(args) | numbers | {"target_ms": TARGET_MS}))
        return
    for name, side in (("bare client", "bare"), ("back end", "backed")):
        took, cpu = numbers[f"{side}_ms"], numbers[f"{side}_cpu_ms"]
        print(f"{name:12} {took:8.2f} ms a call (median, {args.at_once} at once), {cpu:.2f} ms of the processor")
    print(f"{'ratio':12} {numbers['backed_ms'] / numbers['bare_ms']:8.3f}")
    verdict = "under" if over < TARGET_MS else "OVER"
    print(f"{'overhead':12} {over:8.2f} ms a call, {verdict} the target of {TARGET_MS:g} ms")


if __name__ == "__main__":
    main()
