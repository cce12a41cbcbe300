"""Eidothea: closed research loops on process reward models and RL for reasoning.

import eidothea
result = eidothea.run("prm-chain", rounds=2, ideas=4)
async for event in eidothea.stream("prm-chain", rounds=2): ...
eidothea.resume(result.run)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eidothea.api import RunResult, resume, run, stream

__version__ = "0.1.0"
__all__ = ["RunResult", "__version__", "resume", "run", "stream"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    # Imported on first use: `eidothea --help` must not wait for the graph's libraries.
    if name in __all__:
        from eidothea import api

        return getattr(api, name)
    raise AttributeError(f"module 'eidothea' has no attribute {name!r}")
