"""A folder as a model: `inbox:DIR`. A person, a chat window or any program reads requests there and writes answers.

A request is `NNNN-<request>.md`; its answer is awaited in `NNNN-<request>.answer.json` or `.answer.md`, and what is
wrong with an answer is said in `NNNN-<request>.error.md`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from eidothea.errors import Missing, WrongUse
from eidothea.models._inbox_files import RequestFile, Unreadable, json_in, post, problems
from eidothea.protocols import ModelOptions
from eidothea.settings import FREE, Price
from eidothea.state.answer import NoAnswer, Prompt, Reply
from eidothea.state.request import Request

A = TypeVar("A", bound=BaseModel)
Stamp = tuple[int, int]  # when a file was written, and its size
_POLL_S = 0.2
_SETTLED_S = 1.0  # an answer that is no JSON is still being written until it has stayed the same for so long


class Inbox:
    """Waits, for as long as it takes, until somebody has answered."""

    name = "inbox"
    price: Price | None = FREE
    parameters: Mapping[str, Any] = {"model": "inbox"}

    def __init__(
        self, folder: Path, options: ModelOptions, *, poll_s: float = _POLL_S, settled_s: float = _SETTLED_S
    ) -> None:
        self._folder, self._render, self._tell = folder, options.render, options.tell
        self._poll_s, self._settled_s = poll_s, settled_s

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> Inbox:
        """Build it; the folder is made when the first request comes. Raises WrongUse when it cannot be one."""
        if not argument:
            raise WrongUse("say which folder: --model inbox:DIR")
        folder = Path(argument).expanduser()
        if folder.exists() and not folder.is_dir():
            raise WrongUse(f"--model inbox:{argument}: that is a file; name a folder")
        return cls(folder, options)

    @staticmethod
    def anchored(argument: str) -> str:
        """The argument as it holds from any folder."""
        return str(Path(argument).expanduser().absolute())

    async def answer(self, request: Request[A]) -> Reply[A]:
        """Post the request, unless it is there already, and wait for its answer.

        Raises NoAnswer when whoever answers declines, Missing when the folder cannot be used.
        """
        prompt = self._render(request.name, request.context)
        try:
            asked = post(self._folder, request, prompt)
            if not asked.answered:
                self._tell(f"waiting for an answer to {asked.file}")
            return await self._answered(asked, request, prompt)
        except OSError as error:
            place = error.filename or self._folder
            raise Missing(f"the inbox cannot use {place}: {error.strerror or error}; mend that and resume") from error

    async def close(self) -> None:
        """Nothing to release: requests stay where they are, and are found again by a resumed run."""

    async def _answered(self, asked: RequestFile, request: Request[A], prompt: Prompt) -> Reply[A]:
        refused: dict[Path, Stamp] = {}
        while True:
            for file in asked.answers:
                stamp = _stamp(file)
                if stamp is None or refused.get(file) == stamp:
                    continue
                try:
                    reply = await self._read(file, stamp, request, prompt)
                except Unreadable as wrong:
                    refused[file] = stamp
                    asked.complain(file, str(wrong))
                    self._tell(f"{file} cannot be used; {asked.error} says why, and it is awaited again")
                    continue
                if reply is not None:
                    asked.error.unlink(missing_ok=True)
                    return reply
            await asyncio.sleep(self._poll_s)

    async def _read(self, file: Path, stamp: Stamp, request: Request[A], prompt: Prompt) -> Reply[A] | None:
        """The answer in a file, or None while it is being written. Raises Unreadable, and NoAnswer for a refusal."""
        try:
            text = json_in(file.read_bytes())
            given = json.loads(text)
        except FileNotFoundError:  # an editor that saves by renaming
            return None
        except (Unreadable, ValueError, RecursionError) as error:
            if not await self._stays(file, stamp):
                return None
            raise error if isinstance(error, Unreadable) else Unreadable(f"It is not valid JSON: {error}.") from error
        if isinstance(given, dict) and given.keys() == {"refuse"}:
            raise NoAnswer(f"{request.name} was refused at the inbox: {given['refuse']}", "refusal", prompt=prompt)
        try:
            return Reply(request.answer.model_validate_json(text), text, prompt)
        except ValidationError as error:
            raise Unreadable(problems(error)) from error

    async def _stays(self, file: Path, stamp: Stamp) -> bool:
        """Whether the file stays as it is: judged by this clock, as another machine's may have written its time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._settled_s
        while loop.time() < until:
            await asyncio.sleep(self._poll_s)
            if _stamp(file) != stamp:
                return False
        return True


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


PLUGIN = Inbox
