"""Clients of the openai package, set up so that waiting and trying again are ours to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_CONNECT_S = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def new_client(url: str, key: str = "") -> AsyncOpenAI:
    """A client for a server; an empty key is sent as `EMPTY`, which servers without keys ignore."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

    timeout = Timeout(None, connect=_CONNECT_S)
    # A proxy of the environment cannot reach a server on this machine.
    direct = DefaultAsyncHttpxClient(trust_env=False, timeout=timeout) if host(url) in _LOOPBACK else None
    return AsyncOpenAI(api_key=key or "EMPTY", base_url=url, max_retries=0, timeout=timeout, http_client=direct)


def host(url: str) -> str:
    """The host that a URL names."""
    return urlsplit(url).hostname or ""
