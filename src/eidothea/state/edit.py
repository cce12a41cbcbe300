"""Changes to a candidate's tree."""

from __future__ import annotations

from pydantic import Field

from eidothea.state.base import Value


class Edit(Value):
    """Replace `search` by `replace` in `path`; an empty `search` writes the whole file.

    `path` is relative to the tree, with forward slashes.
    """

    path: str = Field(max_length=300)
    search: str = Field(default="", max_length=100_000)
    replace: str = Field(max_length=100_000)
