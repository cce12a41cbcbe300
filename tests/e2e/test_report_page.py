"""The report in a real browser: it renders by itself, hostile titles stay text, and nothing is fetched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from recorded import RUN, record

from eidothea.tools.report import build, write

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.mark.chromium
@pytest.mark.slow
def test_a_hostile_report_renders_and_fetches_nothing(chromium: str, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    ledger = record(runs)
    page = write(build(ledger, RUN, runs / RUN), runs / RUN)["html"]
    ledger.close()
    log = tmp_path / "net.json"
    more = (f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}", "--dump-dom", page.as_uri())
    done = subprocess.run([chromium, *FLAGS, *more], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "<svg" in done.stdout
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in done.stdout
    assert "<script>alert(1)" not in done.stdout
    assert "evil.example" not in log.read_text(errors="replace").split('"events"')[-1]
