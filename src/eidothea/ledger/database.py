"""Open the ledger's database, bring its schema up to date, and say clearly when it is broken."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from eidothea.errors import Missing, WrongUse
from eidothea.ledger.tables import REVISION


def connect(url: str) -> Engine:
    """An engine on a ledger whose schema is current.

    Raises WrongUse for a malformed URL, Missing when the database is broken, newer than this Eidothea, or out of
    reach; the message names the file and how to go on.
    """
    engine = _engine(url)
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    try:
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            with _file_lock(Path(file).with_suffix(".lock")):
                _prepare(engine, file)
        else:
            _prepare(engine, file)
    except OSError as error:
        raise Missing(f"the ledger {file} cannot be written: {error.strerror or error}") from error
    except (DatabaseError, OperationalError) as error:
        raise Missing(_broken(file, error) if file else _out_of_reach(engine, error)) from error
    return engine


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(make_url(url))
    except (ArgumentError, NoSuchModuleError) as error:
        raise WrongUse(f"database_url {url!r} is not a SQLAlchemy URL: {error}") from error
    except ModuleNotFoundError as error:
        raise Missing(f"database_url needs the package {error.name!r}: pip install 'eidothea[postgres]'") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def _sqlite_pragmas(connection: Any, _record: Any) -> None:  # noqa: ANN401 - DBAPI types
    # WAL with synchronous=NORMAL survives kill -9; only a power cut may lose the last transactions, and those
    # are found again in the trial folders.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare(engine: Engine, file: str | None) -> None:
    with engine.connect() as connection:
        if file:
            verdict = connection.execute(text("PRAGMA quick_check(1)")).scalar()
            if verdict != "ok":
                raise Missing(_broken(file, verdict))
        revision = _revision(connection)
    if revision == REVISION:
        return
    if revision is not None and revision > REVISION:
        name = file or engine.url.render_as_string()
        raise Missing(f"the ledger {name} was written by a newer Eidothea (schema {revision}); upgrade first")
    _migrate(engine)


def _revision(connection: Any) -> str | None:  # noqa: ANN401 - a SQLAlchemy connection
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _broken(name: str, why: object) -> str:
    first = str(getattr(why, "orig", None) or why).splitlines()[0]
    return (
        f"the ledger {name} cannot be read ({first}); move it away, put its newest copy "
        f"{Path(name).name}.backup (made at the end of every round) in its place, and resume the run: "
        "finished trials are found again in the run's folder"
    )


def _out_of_reach(engine: Engine, why: Exception) -> str:
    first = str(getattr(why, "orig", None) or why).splitlines()[0]
    return f"the ledger {engine.url.render_as_string(hide_password=True)} is out of reach ({first})"


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """One process at a time creates or migrates a ledger file."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
