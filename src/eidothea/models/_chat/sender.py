"""Send one request until it is heard: paced, paid for, and tried again while that may help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from eidothea.errors import Missing
from eidothea.models._chat.form import Ask, Form
from eidothea.models._chat.pace import group, pace
from eidothea.models._chat.served import Served
from eidothea.models._chat.stream import Heard, hear
from eidothea.models._chat.trouble import Again, NoSuchModel, Spoken, meaning
from eidothea.protocols import ModelOptions
from eidothea.settings import Price
from eidothea.state.answer import Tokens
from eidothea.state.request import Request

_TRIES = 7
_TRIES_UNREACHED = 3  # of a server that was never reached: its address is probably wrong
_LONGEST_WAIT_S = 60.0
_TOLD_S = 2.0  # shorter waits are not worth a line
_LIST_S = 5.0
_USUAL_OUTPUT = 1024  # tokens assumed for the limit a minute until the real number is known
_backoff = wait_exponential_jitter(initial=1, max=_LONGEST_WAIT_S, jitter=1)


class Sender:
    """The way to one model. `sleep` is how it waits between tries."""

    def __init__(
        self,
        who: str,
        served: Served,
        options: ModelOptions,
        price: Price | None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.who, self.served, self.options, self.price, self.sleep = who, served, options, price, sleep
        self._reached = False  # whether the server was ever heard of

    async def send(self, ask: Ask, form: Form, request: Request[Any]) -> tuple[Heard, Tokens]:
        """What the model says, and what it cost.

        Raises Refused, Overflow and Declined when the request itself is not taken, Missing when no try was answered.
        """
        retrying = AsyncRetrying(
            stop=self._enough,
            retry=retry_if_exception_type(Again),
            wait=_wait,
            sleep=_at_once,
            before_sleep=self._rest,
            reraise=True,
        )
        try:
            return await retrying(self._once, ask, form, request)
        except Again as last:
            hint = "" if self._reached else "; look whether it runs there, and at the address"
            raise Missing(f"{self.who} at {self.served.endpoint} does not answer: {last}{hint}") from last
        except NoSuchModel as error:
            raise Missing(await self._unknown(str(error))) from error

    def _enough(self, state: RetryCallState) -> bool:
        last = state.outcome.exception() if state.outcome else None
        unreached = isinstance(last, Again) and last.unreached
        self._reached = self._reached or not unreached
        return state.attempt_number >= (_TRIES if self._reached else _TRIES_UNREACHED)

    async def _once(self, ask: Ask, form: Form, request: Request[Any]) -> tuple[Heard, Tokens]:
        import openai

        client = await self.served.connect()
        settings = self.options.settings
        gate = pace(self.served.endpoint, settings, self.served.at_once)
        worst = self._tokens(ask.worst_input, ask.max_output)
        heard = Heard()
        async with (
            gate.slot(group(request.key), ask.worst_input // 4 + min(ask.max_output, _USUAL_OUTPUT)) as use,
            request.account.hold(worst) as hold,
        ):
            try:
                await hear(client, ask.body(form), settings.first_token_s, settings.idle_s, heard)
            except (openai.APIError, Spoken) as error:
                found = meaning(error, self.who, self.served)
                if getattr(found, "free", False) and not heard.size:
                    hold.settle(Tokens())
                raise found from error
            self._reached = True
            spent = self._spent(ask, heard)
            hold.settle(spent)
            use.tokens = spent.total
        return heard, spent

    def _spent(self, ask: Ask, heard: Heard) -> Tokens:
        if heard.input is None or heard.output is None:
            # Not counted by the server: as much as it can have been.
            return self._tokens(ask.worst_input, min(heard.size, ask.max_output) if not heard.cut else ask.max_output)
        return self._tokens(heard.input, heard.output, heard.cached)

    def _tokens(self, input: int, output: int, cached: int = 0) -> Tokens:
        usd = self.price.cost(input, output, cached) if self.price else None
        return Tokens(input=input, cached=cached, output=output, usd=usd)

    async def _rest(self, state: RetryCallState) -> None:
        again = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        if not isinstance(again, Again):
            return
        if seconds > _TOLD_S:
            asked = f", asks for {again.after:.0f} s" if again.after and again.after > _LONGEST_WAIT_S else ""
            self.options.tell(f"{self.who}: {again}{asked}; trying again in {seconds:.0f} s")
        if again.whole:
            await pace(self.served.endpoint, self.options.settings, self.served.at_once).rest(seconds, self.sleep)
        else:
            await self.sleep(seconds)

    async def _unknown(self, said: str) -> str:
        import openai

        client = await self.served.connect()
        try:
            listed = [model.id for model in (await client.models.list(timeout=_LIST_S)).data]
        except (openai.APIError, ValueError, AttributeError, TypeError):
            return f"{self.served.endpoint} has no model {self.served.model} ({said}); does the address end in /v1?"
        names = ", ".join(sorted(listed)[:20]) or "none"
        return f"{self.served.endpoint} has no model {self.served.model} ({said}); it lists {names}"


def _wait(state: RetryCallState) -> float:
    again = state.outcome.exception() if state.outcome else None
    if isinstance(again, Again) and again.after is not None:
        return min(again.after, _LONGEST_WAIT_S)
    return _backoff(state)


async def _at_once(seconds: float) -> None:
    """The waiting is done before, where it is known why."""
