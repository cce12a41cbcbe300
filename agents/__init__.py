"""Agents: who proposes, codes, repairs and explains. Each is usable alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eidothea.agents.analyst import AnalystAgent
    from eidothea.agents.coder import CoderAgent
    from eidothea.agents.debugger import DebuggerAgent
    from eidothea.agents.idea import IdeaAgent

# Imported as a bare top-level name this would be a second copy of the package.
assert __name__ == "eidothea.agents", "import eidothea.agents, never agents"

__all__ = ["AnalystAgent", "CoderAgent", "DebuggerAgent", "IdeaAgent"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    # On first use: one agent must not cost the imports of all.
    if name in __all__:
        from eidothea import plugins

        return plugins.load("agents", name.removesuffix("Agent").lower())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
