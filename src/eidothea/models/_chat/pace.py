"""How fast requests go to one endpoint: so many at once, so many a minute, and every idea in turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from eidothea.settings import Settings


@dataclass
class Use:
    """One send: when it started, and its tokens, estimated before and set to what they really were after."""

    at: float
    tokens: int


@dataclass
class _Waiting:
    granted: asyncio.Future[Use]
    tokens: int


class Pace:
    """The gate of one endpoint. Whoever waits is let in by turns of the groups, so that no idea starves another."""

    def __init__(
        self, at_once: int, requests_per_minute: int = 0, tokens_per_minute: int = 0, minute: float = 60.0
    ) -> None:
        self._free, self._minute = at_once, minute
        self._requests, self._tokens = requests_per_minute, tokens_per_minute
        self._turns: dict[str, deque[_Waiting]] = {}  # the first group is next
        self._recent: deque[Use] = deque()
        self._resting = 0
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def slot(self, group: str, tokens: int) -> AsyncIterator[Use]:
        """Wait for a turn; the caller corrects the tokens when it knows them."""
        use = await self._turn(group, tokens)
        try:
            yield use
        finally:
            self._free += 1
            self._let_in()

    async def rest(self, seconds: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Let nobody in for a while: the server has asked for it."""
        self._resting += 1
        try:
            await sleep(seconds)
        finally:
            self._resting -= 1
            self._let_in()

    async def _turn(self, group: str, tokens: int) -> Use:
        waiting = _Waiting(asyncio.get_running_loop().create_future(), tokens)
        self._turns.setdefault(group, deque()).append(waiting)
        self._let_in()
        try:
            return await waiting.granted
        except asyncio.CancelledError:
            if waiting.granted.done() and not waiting.granted.cancelled():
                self._free += 1
            self._let_in()
            raise

    def _let_in(self) -> None:
        while self._turns and not self._resting and self._free:
            group, queue = next(iter(self._turns.items()))
            if not queue[0].granted.done() and (wait := self._wait(queue[0].tokens)):
                self._look_again(wait)
                return
            waiting = queue.popleft()
            del self._turns[group]
            if queue:
                self._turns[group] = queue  # behind the others now
            if not waiting.granted.done():
                self._free -= 1
                waiting.granted.set_result(self._start(waiting.tokens))

    def _start(self, tokens: int) -> Use:
        use = Use(asyncio.get_running_loop().time(), tokens)
        if self._requests or self._tokens:
            self._recent.append(use)
        return use

    def _wait(self, tokens: int) -> float:
        """Seconds until the last minute has room for so many tokens more; 0 when it has."""
        now = asyncio.get_running_loop().time()
        while self._recent and self._recent[0].at + self._minute <= now:
            self._recent.popleft()
        many = self._requests and len(self._recent) >= self._requests
        # A request larger than the limit itself goes when nothing else went: it would wait for ever.
        much = self._tokens and self._recent and sum(use.tokens for use in self._recent) + tokens > self._tokens
        return self._recent[0].at + self._minute - now if many or much else 0.0

    def _look_again(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._let_in)


_PACES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Pace]] = WeakKeyDictionary()


def pace(endpoint: str, settings: Settings, at_once: int = 0) -> Pace:
    """The gate of an endpoint, shared by all its models."""
    paces = _PACES.setdefault(asyncio.get_running_loop(), {})
    if endpoint not in paces:
        paces[endpoint] = Pace(
            at_once or settings.requests_at_once, settings.requests_per_minute, settings.tokens_per_minute
        )
    return paces[endpoint]


def group(key: str) -> str:
    """Whose turn a request takes: its idea's (`r1-03/code/1`), or its round's."""
    return key.partition("/")[0]
