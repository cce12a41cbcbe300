"""Settings: defaults < `eidothea.toml` < `EIDOTHEA_*` environment < flags.

Secrets come from the environment or `.env` only; they are never logged, stored or handed to a workspace.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from eidothea.errors import WrongUse

FILE = "eidothea.toml"
SECRETS = ("openai_api_key",)


class _KeysOnly(DotEnvSettingsSource):
    """`.env` is read for keys only, so that a stray file cannot change what a run does."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name.lower() in SECRETS}


class Settings(BaseSettings):
    """What a person may set once instead of saying it on every command line."""

    model_config = SettingsConfigDict(env_prefix="EIDOTHEA_", toml_file=FILE, env_file=".env", extra="forbid")

    runs_dir: Path = Path("runs")
    """Where run folders, the ledger, the paper library and cached data live."""
    database_url: str = ""
    """A SQLAlchemy URL of the ledger; empty means SQLite at `<runs_dir>/eidothea.db`."""
    tasks_dir: Path = Path("experiments/tasks")
    """Where tasks of your own live, beside those that come with Eidothea."""
    model: str = "catalogue"
    """The model when `--model` is not given."""
    workspace: str = "auto"
    """The workspace kind when `--workspace` is not given."""
    parallel: int = Field(default=0, ge=0)
    """Trials at once when `--parallel` is not given; 0 means one per core, at most four."""
    paper_threshold: int = Field(default=8, ge=1, le=10)
    """Papers scored below this are not shown to the idea agent."""
    max_papers: int = Field(default=20, ge=1, le=200)
    """At most so many papers are shown to the idea agent."""
    max_attempts: int = Field(default=5, ge=0, le=20)
    """At most so many repairs of a failing trial."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """The key for OpenAI-compatible servers."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _KeysOnly(settings_cls), TomlConfigSettingsSource(settings_cls)

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite:///{self.runs_dir / 'eidothea.db'}"

    @property
    def trials_at_once(self) -> int:
        return self.parallel or min(4, os.cpu_count() or 1)


def load(**flags: Any) -> Settings:  # noqa: ANN401 - the values of settings
    """The settings in force; flags that are None are as if not given.

    Raises WrongUse for an unknown key (naming the nearest known one), a value that does not fit, or a broken file.
    """
    _check_environment()
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except tomllib.TOMLDecodeError as error:
        raise WrongUse(f"{FILE} is not valid TOML: {error}") from error
    except ValidationError as error:
        raise WrongUse(_explain(error)) from error


def _check_environment() -> None:
    known = {f"EIDOTHEA_{name.upper()}" for name in Settings.model_fields}
    # EIDOTHEA_REQUIRE belongs to the test suite: it names what may not be skipped.
    for name in sorted(os.environ):
        if name.startswith("EIDOTHEA_") and name.upper() not in known and name != "EIDOTHEA_REQUIRE":
            raise WrongUse(f"the environment sets {name}, which is no setting{_nearest(name, known)}")


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{FILE} sets {key!r}, which is no setting{_nearest(key, set(Settings.model_fields))}"
    return f"the setting {key!r} does not fit: {first['msg'][0].lower()}{first['msg'][1:]}"


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(sorted(known))}"
