"""Changes to a candidate's tree."""

from __future__ import annotations

from eidothea.state.base import Value


class Edit(Value):
    """Replace `search` by `replace` in `path`; an empty `search` writes the whole file.

    `path` is relative to the tree, with forward slashes.
    """

    path: str
    search: str = ""
    replace: str
