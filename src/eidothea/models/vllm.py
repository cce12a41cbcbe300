"""A vLLM server: `vllm:NAME` starts `vllm serve NAME` for the run, `vllm:NAME@URL` uses one that runs already."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eidothea.errors import Missing, WrongUse
from eidothea.models._chat.chat_model import ChatModel
from eidothea.models._chat.client import new_client
from eidothea.models._chat.served import Served
from eidothea.models._serve import Program, Server
from eidothea.protocols import ModelOptions
from eidothea.settings import FREE, Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

HINT = "install it on a machine with a GPU (pip install 'eidothea[vllm]'), or name a server that runs: vllm:NAME@URL"


class VllmModel(ChatModel):
    """A model on vLLM; answers are constrained by the server to the schema (`response_format`)."""

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> VllmModel:
        """Build from `NAME` or `NAME@URL`; the server is started or looked at when it is first needed.

        Raises WrongUse for an argument that makes no sense, Missing when there is no vLLM to start.
        """
        name, _, url = argument.partition("@")
        if not name:
            raise WrongUse("say which model: --model vllm:NAME, or vllm:NAME@URL for a vLLM server that runs already")
        if url and not re.match(r"https?://[^/]", url):
            raise WrongUse(f"the vLLM server's address must start with http:// or https://, not {url!r}")
        if not url and shutil.which(options.settings.vllm_command) is None:
            raise Missing(f"there is no program {options.settings.vllm_command!r} to start vLLM with; {HINT}")
        host = _Running(name, url, options.settings) if url else _Started(name, options)
        served = Served(name, url or f"vllm:{name}", host.connect, host.close)
        host.model = cls(f"vllm:{name}", served, options, price=FREE)
        return host.model


class _Host:
    """A server with a client to it. What the server says of the model is asked once per client."""

    model: ChatModel

    def __init__(self, name: str, settings: Settings) -> None:
        self._name, self._settings = name, settings
        self._clients: dict[str, AsyncOpenAI] = {}

    async def _client(self, url: str, key: str) -> AsyncOpenAI:
        if url not in self._clients:
            client = new_client(url, key)
            try:
                self._fit(await self._context(client, url))
            except BaseException:
                await client.close()
                raise
            self._clients[url] = client
        return self._clients[url]

    async def _context(self, client: AsyncOpenAI, url: str) -> int | None:
        """The model's context in tokens; raises Missing when the server has no such model or cannot be asked."""
        import openai

        try:
            cards = [card async for card in client.models.list()]
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise Missing(f"the vLLM server at {url} refuses the key; set OPENAI_API_KEY to its --api-key") from error
        except openai.APIStatusError as error:
            raise Missing(f"the server at {url} does not list its models as vLLM does: {error.message}") from error
        except openai.APIConnectionError as error:
            raise Missing(
                f"nothing answers at {url}; start vLLM there, or leave out @URL (--model vllm:{self._name}) "
                "and one is started for the run"
            ) from error
        found = {card.id: card for card in cards}
        if self._name not in found:
            there = ", ".join(found) or "no model"
            raise Missing(f"the server at {url} serves {there}, not {self._name}; write vllm:<one of these>@URL")
        context = (found[self._name].model_extra or {}).get("max_model_len")
        return context if isinstance(context, int) else None

    def _fit(self, context: int | None) -> None:
        if context is not None:
            self.model.context_tokens = min(context, self._settings.context_tokens or context)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


class _Running(_Host):
    """A server that somebody else started."""

    def __init__(self, name: str, url: str, settings: Settings) -> None:
        super().__init__(name, settings)
        self._url = url if re.match(r"https?://[^/]+/.", url) else f"{url.rstrip('/')}/v1"

    async def connect(self) -> AsyncOpenAI:
        key = self._settings.openai_api_key
        return await self._client(self._url, key.get_secret_value() if key else "")


class _Started(_Host):
    """A server of our own. It listens on this machine only and wants a key, which other users of it do not have."""

    def __init__(self, name: str, options: ModelOptions) -> None:
        super().__init__(name, options.settings)
        self._key = secrets.token_hex(16)
        program = Program(
            name=f"vLLM with {name}",
            command=lambda port: command(name, port, options.settings),
            environment=_environment(self._key),
            start_s=options.settings.vllm_start_s,
            start_setting="the setting vllm_start_s",
        )
        self._server = Server(program, options.tell)

    async def connect(self) -> AsyncOpenAI:
        return await self._client(f"{await self._server.address()}/v1", self._key)

    async def close(self) -> None:
        await super().close()
        await self._server.close()


def command(name: str, port: int, settings: Settings) -> Sequence[str]:
    """`vllm serve …`: one port on this machine, prefix caching on, memory and length as the settings say."""
    words = [settings.vllm_command, "serve", name, "--host", "127.0.0.1", "--port", str(port)]
    words += ["--gpu-memory-utilization", str(settings.vllm_gpu_memory), "--enable-prefix-caching"]
    if settings.vllm_max_len:
        words += ["--max-model-len", str(settings.vllm_max_len)]
    return words


def _environment(key: str) -> dict[str, str]:
    """Ours without the keys for other services; vLLM reads its own key from here, and reports no usage to anyone."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return kept | {"VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


PLUGIN = VllmModel
