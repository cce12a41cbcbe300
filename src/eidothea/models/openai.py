"""`openai:NAME` and `openai:NAME@URL`: OpenAI, or any server that speaks its chat protocol."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from eidothea.errors import Missing, WrongUse
from eidothea.models._chat.chat_model import ChatModel
from eidothea.models._chat.client import host, new_client
from eidothea.models._chat.form import Form, Mode
from eidothea.models._chat.prices import OPENAI, price
from eidothea.models._chat.served import Served
from eidothea.protocols import ModelOptions

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_URL = f"https://{OPENAI}/v1"


class OpenAIModel(ChatModel):
    """A language model behind an OpenAI-compatible server that somebody else runs."""

    @classmethod
    def create(cls, argument: str, options: ModelOptions) -> OpenAIModel:
        """Build from `NAME` or `NAME@URL`; without a URL OPENAI_BASE_URL decides, then it is OpenAI's own server.

        Raises WrongUse without a name or with a URL that is none, Missing when OpenAI's server is meant and no key
        is set.
        """
        name, _, given = argument.partition("@")
        if not name:
            raise WrongUse("say which model: --model openai:NAME, or openai:NAME@URL for a server of your own")
        url = (given or os.environ.get("OPENAI_BASE_URL") or _URL).rstrip("/")
        if not re.match(r"https?://[^/]", url):
            raise WrongUse(f"the server's address must start with http:// or https://, not {url!r}")
        secret = options.settings.openai_api_key
        key = secret.get_secret_value() if secret else ""
        if host(url) == OPENAI and not key:
            raise Missing("openai: needs a key: put it into OPENAI_API_KEY, in the environment or in .env")
        line = _Line(url, key)
        served = Served(model=name, endpoint=url, connect=line.connect, close=line.close)
        found = price(name, host(url), options.settings)
        return cls(f"openai:{name}", served, options, price=found, start=_start(url))


class _Line:
    """The connections to one server, opened at the first request."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._client: AsyncOpenAI | None = None

    async def connect(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = new_client(self._url, self._key)
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _start(url: str) -> Form:
    # Servers of one's own enforce any schema, lengths included; providers enforce only what strict mode can say.
    mode: Mode = "strict" if url.startswith("https:") else "schema"
    return Form(mode, "max_completion_tokens" if host(url) == OPENAI else "max_tokens")


PLUGIN = OpenAIModel
