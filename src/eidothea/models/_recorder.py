"""Write what models answer in a run to a recording (`--record FILE`)."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eidothea.errors import Missing, WrongUse
from eidothea.models._recording import (
    FORMAT,
    MARK,
    dump,
    key_of,
    load,
    read_header,
    schema_hash,
    scrubbed_prompt,
    whole,
)
from eidothea.models._scrub import scrub, scrubbed
from eidothea.protocols import Render
from eidothea.state.record import CallRecord
from eidothea.state.request import Request

_SEED, _SCHEMA = "seed", "schema"


def claim(file: Path, run: str = "") -> None:
    """Raise WrongUse unless `file` can become, or is already, the recording of `run` ("" for one about to start)."""
    if not file.parent.is_dir():
        raise WrongUse(f"--record {file}: there is no folder {file.parent}; make it first")
    if file.is_dir():
        raise WrongUse(f"--record {file}: that is a folder; name a file in it")
    if not file.exists() or file.stat().st_size == 0:
        return
    try:
        with file.open("rb") as there:
            header = read_header(file, there.readline())
    except OSError as error:
        raise WrongUse(f"--record {file}: it cannot be read ({error.strerror or error}); name another file") from error
    if not run or header.get("run") != run:
        raise WrongUse(
            f"--record {file}: the file holds the recording of another run ({header.get('run') or 'unnamed'}); "
            f"name another file or delete this one (to answer from it: --model replay:{file})"
        )


class Recorder:
    """The recording of one run. A line is written only when the ledger has the call, so it can be caught up with.

    Secrets are taken out of prompts and answers. Raises WrongUse when the file belongs to another run, or a line of
    it is broken.
    """

    def __init__(self, file: Path, render: Render, made: str, run: str = "", secrets: Sequence[str] = ()) -> None:
        self.file, self._render, self._secrets = file, render, tuple(secrets)
        claim(file, run)
        self._keys: Counter[str] = Counter()
        self._calls: Counter[tuple[str, str]] = Counter()
        if file.exists() and file.stat().st_size:
            self._go_on()
        else:
            self._begin({MARK: FORMAT, "made": made, "run": run})

    def keyed(self, call: CallRecord, request: Request[Any]) -> CallRecord:
        """The call with all that a line needs, so that the ledger's copy of it is enough to write one.

        The prompt is the whole one, also where a model with little room was sent a shorter one: whoever replays the
        request does not know that room.
        """
        prompt = self._render(request.name, request.context)
        schema = schema_hash(request.answer)
        clean = scrubbed_prompt(prompt, self._secrets)
        own = {name: value for name, value in call.parameters.items() if name not in (_SEED, _SCHEMA)}
        found = {
            "system": prompt.system,
            "prompt": prompt.user,
            "parameters": own | {_SEED: request.seed, _SCHEMA: schema},
            "recording": key_of(request.name, whole(clean), schema, own, request.seed),
        }
        return call.model_copy(update=found)

    def write(self, call: CallRecord, request: Request[Any] | None = None) -> None:
        """Append one call; without a key of its own it gets it from its request."""
        if not call.recording:
            if request is None:
                raise WrongUse(
                    f"run {call.run} began without --record, so its first calls are in no recording; "
                    "record a run from its start"
                )
            call = self.keyed(call, request)
        self._append(dump(self._line(call)))
        self._keys[call.recording] += 1
        self._calls[call.key, call.recording] += 1

    def catch_up(self, calls: Sequence[CallRecord]) -> None:
        """Append those of the ledger's calls that the file lacks, in their order."""
        there = self._calls.copy()
        for call in calls:
            place = (call.key, call.recording)
            if there[place]:
                there[place] -= 1
            else:
                self.write(call)

    def _line(self, call: CallRecord) -> dict[str, Any]:
        own = dict(call.parameters)
        seed, schema = own.pop(_SEED), own.pop(_SCHEMA)
        line: dict[str, Any] = {
            "agent": call.agent,
            "call": call.key,
            "key": call.recording,
            "n": self._keys[call.recording],
            "outcome": call.outcome,
            "parameters": dict(sorted(own.items())),
            "prompt": self._scrub(call.prompt),
            "request": call.name,
            "schema": schema,
            "seed": seed,
            "system": self._scrub(call.system),
        }
        if call.outcome == "answered":
            line["answer"] = scrubbed(json.loads(call.answer), self._secrets)
        else:
            line["problem"] = self._scrub(call.problem)
        return dict(sorted(line.items()))  # an answer's own fields stay in the order of its type

    def _scrub(self, text: str) -> str:
        return scrub(text, self._secrets)

    def _begin(self, header: dict[str, Any]) -> None:
        # Whole or not at all: a torn header could not be told from a file that is no recording.
        part = self.file.with_name(f".{self.file.name}.part")
        try:
            part.write_bytes(dump(header))
            part.replace(self.file)
        except OSError as error:
            raise _refused(self.file, error) from error

    def _go_on(self) -> None:
        """Drop a last line that was cut off, and count what is there."""
        text = self.file.read_bytes()
        if b"\n" not in text:
            self._append(b"\n")  # the header alone, as an editor may leave it
        elif not text.endswith(b"\n"):
            os.truncate(self.file, text.rfind(b"\n") + 1)
        for line in load(self.file).lines:
            self._keys[line.key] += 1
            self._calls[line.call, line.key] += 1

    def _append(self, line: bytes) -> None:
        try:
            with self.file.open("ab") as out:
                out.write(line)
        except OSError as error:
            raise _refused(self.file, error) from error


def _refused(file: Path, error: OSError) -> Missing:
    return Missing(f"the recording {file} cannot be written ({error.strerror or error}); mend that and resume the run")
