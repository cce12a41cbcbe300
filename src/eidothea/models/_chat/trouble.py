"""What a server's errors mean: try again, ask another way, send less, or give up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from eidothea.errors import Missing
from eidothea.models._chat.served import Served

if TYPE_CHECKING:
    import openai

_BUSY = (408, 409, 425, 429)
_UNFIT = (400, 404, 405, 415, 422, 501)
_WORKED = (504, 524)  # a gateway gave up waiting: what stands behind it was at work, and may cost
_QUOTA = re.compile(r"insufficient_quota|billing_hard_limit|exceeded your current quota|credit balance|out of credits")
_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|exceeds? (?:the )?(?:available |model'?s? )?context|"
    r"context (?:size|window|length) (?:exceeded|of)|prompt is too long|too many (?:input )?tokens|input is too long"
)
_CONTEXT = re.compile(
    r"(?:context length (?:is|of)|context size (?:is )?\(?|context window of|n_ctx\D{0,5})\s*(\d{3,})"
)
_SENT = re.compile(
    r"(\d+) in the messages|request \((\d+) tokens|"
    r"(?:has|resulted in|contains?|contains at least|you sent|prompt is too long:) (\d+)(?: input| prompt)? tokens"
)
_AT_MOST = re.compile(r"(?:at most|maximum (?:value )?(?:is|of)|less than or equal to|<=)\s*(\d+)")
_DECLINED = re.compile(r"content_filter|content_policy|invalid_prompt|content management policy")
_MODEL = re.compile(
    r"model[^.]{0,80}(?:not (?:found|exist)|does not exist|unknown|not available)|unknown model|model_not_found"
)
_BLAMED = (
    ("usage", re.compile(r"stream_options|include_usage")),
    ("limit", re.compile(r"max_completion_tokens|max_tokens")),
    ("temperature", re.compile(r"temperature")),
    ("seed", re.compile(r"\bseed\b")),
    ("system", re.compile(r"system (?:role|message|prompt|instruction)|role.{0,3}system")),
    ("mode", re.compile(r"response_format|json_schema|json_object|json mode|tool|function|schema|structured|grammar")),
    ("stream", re.compile(r"\bstream(?:ing)?\b")),
)


class Again(Exception):
    """Worth another try. `after` is how long the server asks to wait, `whole` that everybody should, `free` that the
    failed try cost nothing, `unreached` that there was not even a connection."""

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        whole: bool = False,
        free: bool = False,
        unreached: bool = False,
    ) -> None:
        super().__init__(message)
        self.after, self.whole, self.free, self.unreached = after, whole, free, unreached


class Refused(Exception):
    """The server does not take the request as it is put. `blames` names the parts it points at; `at_most` is the
    longest answer that it allows."""

    free = True

    def __init__(self, message: str, blames: tuple[str, ...], at_most: int | None = None) -> None:
        super().__init__(message)
        self.blames, self.at_most = blames, at_most


class Overflow(Exception):
    """The prompt is longer than the model's context; both in tokens, where the server says them."""

    free = True

    def __init__(self, message: str, context: int | None, sent: int | None) -> None:
        super().__init__(message)
        self.context, self.sent = context, sent


class Declined(Exception):
    """The provider will not have this prompt answered."""

    free = True


class NoSuchModel(Exception):
    """The server does not know the model, or nothing there speaks the protocol."""

    free = True


class Final(Missing):
    """No further try can help, and nothing was used."""

    free = True


class Spoken(Exception):
    """An error in the place of an answer: in a stream that had begun, or in a body that came with status 200."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - what JSON can hold
        super().__init__(_plain(body, "an error without a message"))
        self.body = body


@dataclass(frozen=True)
class _Said:
    """What a server has answered in the place of an answer."""

    status: int
    text: str
    body: Any
    headers: Mapping[str, str]

    @property
    def all(self) -> str:
        return f"{self.text} {self.body}".lower()

    @property
    def named(self) -> str:
        return str(self.body.get("param") or "").lower() if isinstance(self.body, Mapping) else ""

    def __str__(self) -> str:
        return f"{self.status}: {self.text[:300]}"


def meaning(error: openai.APIError | Spoken, who: str, served: Served) -> Exception:
    """What an error means for a request of the model `who`."""
    import openai

    if isinstance(error, openai.APIConnectionError):
        return Again(_root(error), free=_never_sent(error), unreached=_never_sent(error))
    if isinstance(error, openai.APIStatusError):
        text = _plain(error.body, error.message)
        return _of(_Said(error.status_code, text, error.body, error.response.headers), who, served)
    code = error.body.get("code") if isinstance(error.body, Mapping) else None
    status = int(str(code)) if str(code).isdigit() else 400 if isinstance(code, str) else 500
    found = _of(_Said(status, str(error), error.body, {}), who, served)
    # What was said so late was perhaps paid for.
    return found if not isinstance(found, Again) else Again(str(found), after=found.after, whole=found.whole)


def _of(said: _Said, who: str, served: Served) -> Exception:
    status = said.status
    if status in (401, 402, 403) or (status == 429 and _QUOTA.search(said.all)):
        return Final(_refused_key(said, who, served))
    if status in _BUSY or (status >= 500 and status != 501):
        return Again(str(said), after=retry_after(said.headers), whole=status == 429, free=status not in _WORKED)
    if status == 413 or _OVERFLOW.search(said.all):
        return Overflow(str(said), _first(_CONTEXT, said.all), _first(_SENT, said.all))
    if _DECLINED.search(said.all):
        return Declined(said.text[:300])
    if status not in _UNFIT:
        return Final(f"{who} at {served.endpoint} refuses the request: {said}")
    return _unfit(said)


def _unfit(said: _Said) -> Exception:
    blames = tuple(part for part, pattern in _BLAMED if pattern.search(said.named))
    if not blames and (_MODEL.search(said.all) or said.named == "model"):
        return NoSuchModel(str(said))
    blames = blames or tuple(part for part, pattern in _BLAMED if pattern.search(said.all))
    if said.status == 404 and not blames:
        return NoSuchModel(str(said))
    return Refused(str(said), blames[:1], _first(_AT_MOST, said.all) if "limit" in blames else None)


def _first(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return next((int(group) for group in found.groups() if group), None) if found else None


def _refused_key(said: _Said, who: str, served: Served) -> str:
    where, why = f"{who} at {served.endpoint}", said.text[:200]
    if said.status == 401:
        return f"{where} refuses the key: put a valid one into {served.key} ({why})"
    if said.status == 403:
        return f"{where} does not allow this with the key in {served.key}: {why}"
    return f"{where} wants to be paid: see to the account that {served.key} belongs to ({why})"


def _plain(body: Any, otherwise: str) -> str:  # noqa: ANN401 - what JSON can hold
    """An error body's message, for people."""
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("detail") or body.get("error") or otherwise)
    return body if isinstance(body, str) and body else otherwise


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def _never_sent(error: openai.APIConnectionError) -> bool:
    import httpx2

    return isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait, or None.

    A date counts from the server's own clock (its Date header): ours may be wrong.
    """
    if (ms := _number(headers.get("retry-after-ms"))) is not None:
        return ms / 1000
    said = headers.get("retry-after")
    if (seconds := _number(said)) is not None:
        return seconds
    until = _date(said)
    return max(0.0, (until - (_date(headers.get("date")) or datetime.now(UTC))).total_seconds()) if until else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
