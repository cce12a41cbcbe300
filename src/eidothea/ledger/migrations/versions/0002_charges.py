"""Charges: what every send to a model costs, kept back before it goes out"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.String(length=255)
    op.create_table(
        "charges",
        sa.Column("id", text, nullable=False),
        sa.Column("run", text, nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("agent", text, nullable=False),
        sa.Column("idea", text, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("model", text, nullable=False),
        sa.Column("input", sa.Integer(), nullable=False),
        sa.Column("cached", sa.Integer(), nullable=False),
        sa.Column("output", sa.Integer(), nullable=False),
        sa.Column("usd", sa.Float(), nullable=True),
        sa.Column("state", text, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("charges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_charges_run"), ["run"], unique=False)
    # What was spent before must still count: one charge for every call that used tokens. Its idea and round are
    # not known any more.
    op.execute(
        "INSERT INTO charges (id, run, key, agent, idea, round, model, input, cached, output, usd, state, at) "
        "SELECT run || '/' || key || '/' || fingerprint, run, key, agent, '', 0, model, tokens, 0, 0, usd, 'settled', "
        "at FROM calls WHERE tokens > 0"
    )


def downgrade() -> None:
    op.drop_table("charges")
