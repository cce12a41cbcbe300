"""A language model behind an OpenAI-compatible server; the back ends differ only in how they reach one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from eidothea.models._chat.conversation import Conversation
from eidothea.models._chat.dialect import Dialect, dialect
from eidothea.models._chat.form import Form
from eidothea.models._chat.sender import Sender
from eidothea.models._chat.served import Served
from eidothea.protocols import ModelOptions
from eidothea.settings import Price
from eidothea.state.answer import Reply
from eidothea.state.request import Request

A = TypeVar("A", bound=BaseModel)


class ChatModel:
    """Everything of a back end but `create`: subclass it, and build `Served` there.

    `context_tokens` and `max_output_tokens` are the settings' unless given. Both may be set later: `Served.connect`
    runs before a prompt is rendered, so a back end that learns the context size when its server has started may set
    `model.context_tokens` then. Prompts are shortened to fit when it is known. `start` is how requests are put until
    the server is found not to understand it.
    """

    def __init__(
        self,
        name: str,
        served: Served,
        options: ModelOptions,
        *,
        price: Price | None,
        context_tokens: int | None = None,
        max_output_tokens: int | None = None,
        start: Form = Form("schema"),  # noqa: B008 - frozen
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name, self.served, self.price = name, served, price
        self.context_tokens = context_tokens or options.settings.context_tokens
        self.max_output_tokens = max_output_tokens or options.settings.max_output_tokens
        self.parameters: Mapping[str, Any] = {
            "model": served.model,
            "temperature": options.settings.temperature,
            "max_output_tokens": self.max_output_tokens,
        }
        self._sender = Sender(name, served, options, price, sleep)
        self._dialect = dialect(served.endpoint, served.model, start)

    @property
    def dialect(self) -> Dialect:
        """What the server was found to understand so far."""
        return self._dialect

    async def answer(self, request: Request[A]) -> Reply[A]:
        """Answer one request; raises as `protocols.Model.answer` says."""
        await self.served.connect()
        conversation = Conversation(
            request, self._sender, self._dialect, max_output=self.max_output_tokens, context=self.context_tokens
        )
        return await conversation.run()

    async def close(self) -> None:
        """Let go of the server."""
        await self.served.close()
