"""Find plug-ins by name: one module each, ending with `PLUGIN = Class`."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from eidothea.errors import Missing, WrongUse


def names(kind: str) -> list[str]:
    """The plug-ins of a kind ("workspaces", "models", "agents", "tools.papers.sources", …) that come with Eidothea."""
    package = importlib.import_module(f"eidothea.{kind}")
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def load(kind: str, name: str) -> Any:  # noqa: ANN401 - the caller knows the protocol of the kind
    """The plug-in `name` of a kind, or any class by dotted path (`package.module:Class`).

    Raises WrongUse for an unknown name, naming what exists; Missing when a package it needs is not installed.
    """
    if ":" in name or "." in name:
        return _by_path(name)
    if name not in names(kind):
        raise WrongUse(f"no {kind} plug-in is called {name!r}; there are: {', '.join(names(kind))}")
    return _import(f"eidothea.{kind}.{name}").PLUGIN


def _by_path(path: str) -> Any:  # noqa: ANN401 - see load
    module, _, attribute = path.partition(":")
    if not attribute:
        module, _, attribute = path.rpartition(".")
    try:
        return getattr(_import(module), attribute)
    except AttributeError:
        raise WrongUse(f"{module} has no {attribute!r}") from None


def _import(module: str) -> Any:  # noqa: ANN401 - a module
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise WrongUse(f"no module is called {module!r}") from error
        raise Missing(f"{module} needs the package {error.name!r}: pip install {error.name}") from error
