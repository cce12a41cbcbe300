"""Pick the kind of workspace for a run."""

from __future__ import annotations

from eidothea import plugins
from eidothea.errors import Missing
from eidothea.protocols import Workspace

PREFERENCE = ("docker", "bubblewrap")  # what `auto` tries, best first; only kinds that isolate


def choose(name: str, warm: bool = False) -> tuple[Workspace, str]:
    """The workspace of that name, or the best that works here for `auto`, and why; with warm starts if it has any.

    Raises WrongUse for an unknown name, Missing when none (or not the named one) works here.
    """
    reasons: list[str] = []
    for kind in PREFERENCE if name == "auto" else (name,):
        cls = plugins.load("workspaces", kind)
        probe = cls.probe()
        if probe.ok:
            workspace: Workspace = cls(warm=True) if warm and getattr(cls, "starts_warm", False) else cls()
            return workspace, "; not ".join([probe.reason, *reasons])
        reasons.append(f"{kind}: {probe.reason}")
    tail = "; --workspace process runs trusted code without isolation" if name == "auto" else ""
    raise Missing(f"no workspace works here ({'; '.join(reasons)}){tail}")
