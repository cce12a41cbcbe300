from __future__ import annotations

import pytest

from eidothea import plugins
from eidothea.errors import Missing, WrongUse


@pytest.mark.parametrize("kind", ["workspaces", "models", "agents", "tools.papers.sources", "tools.papers.embedders"])
def test_every_module_of_a_kind_is_a_plugin(kind: str) -> None:
    assert plugins.names(kind)
    for name in plugins.names(kind):
        assert isinstance(plugins.load(kind, name), type), f"{kind}.{name} has no PLUGIN class"


def test_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(WrongUse, match="bubblewrap, docker, process"):
        plugins.load("workspaces", "dokcer")


def test_a_dotted_path_loads_from_outside() -> None:
    assert plugins.load("workspaces", "decimal:Decimal").__name__ == "Decimal"
    assert plugins.load("workspaces", "decimal.Decimal").__name__ == "Decimal"
    with pytest.raises(WrongUse, match="has no 'Nothing'"):
        plugins.load("workspaces", "decimal:Nothing")
    with pytest.raises(WrongUse, match="no module"):
        plugins.load("workspaces", "no_such_package.thing:Class")


def test_a_missing_package_is_named_with_its_remedy(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    Path("outside.py").write_text("import a_package_nobody_has\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Missing, match="pip install a_package_nobody_has"):
        plugins.load("models", "outside:Model")
