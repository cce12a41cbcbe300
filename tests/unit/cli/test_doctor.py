"""The doctor: names what is broken and how to mend it, never shows a key."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from calls import Call

from eidothea.cli import checks
from eidothea.protocols import Probe
from eidothea.settings import Settings


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedding model takes seconds to load."""
    fine = checks.Check("embedding model", True, True, "left out")
    monkeypatch.setattr(checks, "_embedder", lambda: fine)


def found(settings: Settings) -> dict[str, checks.Check]:
    return {check.name: check for check in checks.checks(settings)}


def test_checks_cover_what_a_run_needs(tmp_path: Path) -> None:
    names = set(found(Settings()))
    assert {"Python", "workspace bubblewrap", "workspace process", "GPU", "model catalogue", "paper corpus"} <= names
    assert {"llamacpp models", "vllm models", "telemetry"} <= names
    assert {"tasks", "ledger", "disk", "memory and cores", "key for openai models"} <= names
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_shown(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-123")
    for words in (("doctor",), ("doctor", "--json")):
        done = call(*words)
        assert "OPENAI_API_KEY is set" in " ".join(done.out.split())
        assert "canary" not in done.out + done.err


def test_no_isolating_workspace_means_no_default_run(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from eidothea.workspaces.bubblewrap import PLUGIN

    monkeypatch.setattr(PLUGIN, "probe", classmethod(lambda cls: Probe(False, "namespaces are refused")))
    done = call("doctor", "--json")
    assert done.code == 4
    assert not done.json()["works"]
    (row,) = [check for check in done.json()["checks"] if check["name"] == "workspace bubblewrap"]
    assert (row["ok"], row["needed"], row["detail"]) == (False, True, "namespaces are refused")
    assert row["mend"]
    assert "a default run cannot work here" in call("doctor").out


def test_what_models_need_is_named_without_being_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    made = found(Settings(vllm_command="no-such-program"))
    for name, hint in (("llamacpp models", "eidothea[llamacpp]"), ("vllm models", "eidothea[vllm]")):
        assert (made[name].ok, made[name].needed) == (False, False)
        assert hint in made[name].mend


def test_telemetry_is_needed_only_when_it_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    for on in (False, True):
        check = found(Settings(telemetry=on))["telemetry"]
        assert (check.ok, check.needed) == (False, on)
        assert "eidothea[otel]" in check.mend


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> checks.Check:
        raise RuntimeError("half an installation")

    monkeypatch.setattr(checks, "_papers", broken)
    check = found(Settings())["papers"]
    assert (check.ok, check.needed, check.detail) == (False, True, "RuntimeError: half an installation")


def test_a_corrupt_ledger_is_found(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "eidothea.db").write_bytes(b"no database" * 1000)
    check = found(Settings())["ledger"]
    assert not check.ok
    assert "cannot be read" in check.detail


def test_exit_code_follows_the_checks(call: Call) -> None:
    done = call("doctor", "--json")
    needed = [check["ok"] for check in done.json()["checks"] if check["needed"]]
    assert done.code == (0 if all(needed) else 4)
    assert done.json()["works"] == all(needed)
