"""The regions' item lists, their history, and the index they are searched by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision."""
    _item_list()
    _item_editions()
    _item_words()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_index()


def downgrade() -> None:
    """Go back to the revision before: the lists and their history are gone."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER item_words_added")
        op.execute("DROP TRIGGER item_words_removed")
        op.execute("DROP TABLE item_index_terms")
        op.execute("DROP TABLE item_index")
    op.drop_table("item_words")
    op.drop_table("item_editions")
    op.drop_index("item_list_history", table_name="item_list")
    op.drop_index("item_list_current", table_name="item_list")
    op.drop_table("item_list")


def _item_list() -> None:
    op.create_table(
        "item_list",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("listed_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("listed_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("catalog_code", sa.Text(), nullable=False),
        sa.Column("task_code", sa.Text(), nullable=False),
        sa.Column("task_handle_item", sa.Text(), nullable=False),
        sa.Column("local_catalog_code", sa.Text(), nullable=False),
        sa.Column("local_task_code", sa.Text(), nullable=False),
        sa.Column("task_name", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("task_version", sa.Text(), nullable=False),
        sa.Column("task_state", sa.Text(), nullable=False),
        sa.Column("use_level", sa.Text(), nullable=False),
        sa.Column("dept_name", sa.Text(), nullable=False),
        sa.Column("dept_code", sa.Text(), nullable=False),
        sa.Column("project_type", sa.Text(), nullable=False),
        sa.Column("handle_type", sa.Text(), nullable=False),
        sa.Column("accept_condition", sa.Text(), nullable=False),
        sa.Column("anticipate_day", sa.Text(), nullable=False),
        sa.Column("promise_day", sa.Text(), nullable=False),
        sa.Column("promise_day_type", sa.Text(), nullable=False),
        sa.Column("special_procedure", sa.Text(), nullable=False),
        sa.Column("is_fee", sa.Text(), nullable=False),
        sa.Column("plan_effective_date", sa.Text(), nullable=False),
        sa.Column("plan_cancel_date", sa.Text(), nullable=False),
        sa.Column("handle_area", sa.Text(), nullable=False),
        sa.Column("result_type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index(
        "item_list_current", "item_list", ["listed_until_ms", "region", "code"], unique=True
    )
    op.create_index(
        "item_list_history", "item_list", ["region", "code", "listed_from_ms"], unique=False
    )


def _item_editions() -> None:
    op.create_table(
        "item_editions",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("imported_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "number"),
        sqlite_with_rowid=False,
    )


def _item_words() -> None:
    op.create_table(
        "item_words",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )


def _sqlite_index() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE item_index USING fts5(words, codes, region, content='item_words', "
        "content_rowid='position', tokenize='trigram case_sensitive 1')"
    )
    op.execute(
        "CREATE TRIGGER item_words_added AFTER INSERT ON item_words BEGIN "
        "INSERT INTO item_index(rowid, words, codes, region) "
        "VALUES (new.position, new.words, new.codes, new.region); END"
    )
    op.execute(
        "CREATE TRIGGER item_words_removed AFTER DELETE ON item_words BEGIN "
        "INSERT INTO item_index(item_index, rowid, words, codes, region) "
        "VALUES ('delete', old.position, old.words, old.codes, old.region); END"
    )
    op.execute("CREATE VIRTUAL TABLE item_index_terms USING fts5vocab('item_index', 'row')")
