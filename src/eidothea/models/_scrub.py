"""Take secrets out of text before it is written to a file that people share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr

from eidothea.settings import Settings

SCRUBBED = "[scrubbed]"
_SHORTEST = 8  # a shorter "secret" (EMPTY, x) is a placeholder, and also occurs in ordinary text
_SURROGATES = re.compile("[\ud800-\udfff]")

# Each part ends in what only a key has (a long run without a dash, or a digit), so that words and code stay.
# Repetitions are bounded wherever a long text could make the search quadratic.
_WHOLE = re.compile(
    "|".join(
        (
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:[^-]|-(?!----))*-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\s|\\[nr]){1,4}[A-Za-z0-9+/=]{20,})*)",  # one that was cut off
            r"\bsk-[A-Za-z0-9]{24,}",
            r"\bsk-(?:proj|svcacct|admin|None|ant|or|lf)-[A-Za-z0-9_-]{20,}",
            r"\bsk-(?=[A-Za-z_-]{0,99}\d)(?=[a-z0-9_-]{0,99}[A-Z])[A-Za-z0-9_-]{20,}",
            r"\b(?:gsk_|xai-|nvapi-|pplx-|r8_|lsv2_[a-z]{2}_|tgp_v1_|pk-lf-)(?=[A-Za-z_-]{0,99}\d)[A-Za-z0-9_-]{20,}",
            r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
            r"\bgh[pousr]_[A-Za-z0-9]{30,}",
            r"\bgithub_pat_[A-Za-z0-9_]{22,}",
            r"\bglpat-[A-Za-z0-9_-]{20,}",
            r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
            r"\bhf_[A-Za-z0-9]{30,}",
            r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
            r"\bxapp-\d-[A-Za-z0-9-]{10,}",
            r"\bAIza[A-Za-z0-9_-]{35}",
            r"\bya29\.[A-Za-z0-9_-]{20,}",
            r"\bnpm_[A-Za-z0-9]{36}",
            r"\bpypi-[A-Za-z0-9_-]{50,}",
            r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        )
    )
)
_NAME = (
    r"(?P<kept>(?:api[_-]?key|access[_-]?key|secret[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret"
    r"""|passw(?:or)?d)\\?["']?\s{0,4}[:=]\s{0,4}"""
)
# In these only the named part goes: what stands before it says what was there.
_PARTS = (
    re.compile(r"(?P<kept>\bbearer\s{1,4})(?=[A-Za-z._~+/-]{0,99}\d)[A-Za-z0-9._~+/-]{16,}=*", re.IGNORECASE),
    re.compile(
        r"""(?P<kept>\bauthorization\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?:basic|token)\s{1,4})[A-Za-z0-9._~+/=-]{8,}""",
        re.IGNORECASE,
    ),
    re.compile(r"""(?P<kept>\b[a-z][a-z0-9+.-]{0,20}://)[^\s/:@"'<>]{0,100}:(?![{$<])[^\s/@"'<>]{1,200}(?=@)""", re.I),
    re.compile(
        _NAME + r"""\\?["'])(?=[^\s"'\\]{0,199}\d)[^\s"'\\]{8,200}(?=\\?["'])""",
        re.IGNORECASE,
    ),
    re.compile(_NAME + r""")(?=[A-Za-z_/+-]{0,99}\d)[A-Za-z0-9_/+-]{16,200}=*(?![\w.(\[=])""", re.IGNORECASE),
)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with the given secrets, and whatever has the shape of a key, replaced by `[scrubbed]`.

    Scrubbing twice changes nothing more. Lone surrogates, which no file can hold, become U+FFFD.
    """
    text = _SURROGATES.sub("\ufffd", text)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, SCRUBBED)
    while (less := _once(text)) != text:  # one key may have stood in the way of the next
        text = less
    return text


def _once(text: str) -> str:
    text = _WHOLE.sub(SCRUBBED, text)
    for part in _PARTS:
        text = part.sub(rf"\g<kept>{SCRUBBED}", text)
    return text


def scrubbed(value: Any, secrets: Iterable[str] = ()) -> Any:  # noqa: ANN401 - anything JSON can hold
    """A JSON value with every text in it scrubbed; keys stay."""
    if isinstance(value, str):
        return scrub(value, secrets)
    if isinstance(value, list):
        return [scrubbed(each, secrets) for each in value]
    if isinstance(value, dict):
        return {key: scrubbed(each, secrets) for key, each in value.items()}
    return value


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The secrets that the settings hold."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))
