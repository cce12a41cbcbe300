from __future__ import annotations

from pathlib import Path

import pytest

from eidothea.tools.trials.requirements import Refused, requested


def asked(folder: Path, text: str, *allowed: str) -> tuple[str, ...]:
    (folder / "requirements.txt").write_text(text)
    return requested(folder, allowed)


def test_packages_with_versions(tmp_path: Path) -> None:
    text = "# why\nEinops==0.8.1\nscikit_learn==1.9.1  # trees\n\neinops==0.8.1\n"
    assert asked(tmp_path, text, "einops", "scikit-learn") == ("einops==0.8.1", "scikit-learn==1.9.1")
    assert asked(tmp_path, "anything==1.0", "*") == ("anything==1.0",)


def test_a_task_that_allows_none_looks_at_none(tmp_path: Path) -> None:
    assert asked(tmp_path, "--index-url http://evil\n") == ()
    assert requested(tmp_path / "nowhere", ("*",)) == ()


@pytest.mark.parametrize(
    "line",
    [
        *("einops", "einops>=0.8", "einops==*", "einops == 0.8", "einops[extra]==1", "einops==1 ; python_version<'4'"),
        *(
            "--index-url http://evil",
            "-e .",
            "./local.whl",
            "git+https://x/y",
            "einops @ http://evil/x.whl",
            "-r other",
        ),
        *("einops==1\x00", "einops==1 --hash=sha256:0", "$(touch x)==1"),
    ],
)
def test_everything_else_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(Refused, match=r"name==1\.2\.3"):
        asked(tmp_path, f"{line}\n", "*")


def test_packages_that_the_task_does_not_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not allow requests; it allows einops"):
        asked(tmp_path, "requests==2.0", "einops")


def test_too_many(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="names 51 packages"):
        asked(tmp_path, "\n".join(f"p{n}==1" for n in range(51)), "*")
