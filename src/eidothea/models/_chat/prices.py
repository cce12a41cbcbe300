"""What a model's tokens cost: the user's word first, then a dated table for OpenAI's own server, else unknown."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources

from eidothea.settings import Price, Settings

OPENAI = "api.openai.com"
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def price(model: str, host: str, settings: Settings) -> Price | None:
    """The price of a model at a host, None when it is unknown. Settings name it `NAME@HOST` or `NAME`."""
    for name in (f"{model}@{host}", model):
        if name in settings.prices:
            return settings.prices[name]
    if host != OPENAI:
        return None
    return table().get(model) or table().get(_DATE.sub("", model))


@functools.cache
def table() -> dict[str, Price]:
    """The prices that come with Eidothea."""
    text = (resources.files("eidothea.models._chat") / "prices.toml").read_text(encoding="utf-8")
    return {name: Price(**row) for name, row in tomllib.loads(text).items()}
