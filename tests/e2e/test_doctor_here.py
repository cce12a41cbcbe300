"""The doctor on the machine it runs on."""

from __future__ import annotations

import json
from pathlib import Path

import loops
import pytest


@pytest.mark.docker
@pytest.mark.slow
def test_a_running_engine_with_its_image_is_found(docker_image: str, tmp_path: Path) -> None:
    done = loops.run("doctor", "--json", runs=tmp_path)
    assert done.returncode == 0, done.stderr
    (docker,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "workspace docker"]
    assert docker["ok"], docker
    assert docker_image in docker["detail"]
