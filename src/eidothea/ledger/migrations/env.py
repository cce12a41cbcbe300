"""Alembic's entry point: runs the migrations on the connection that `ledger.database` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from eidothea.ledger.tables import Table

connection = context.config.attributes.get("connection")
if connection is None:
    connection = create_engine(context.config.get_main_option("sqlalchemy.url") or "").connect()
context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
