"""API keys: the secret before the last rotation, which counts until `expires_at_ms`."""

import sqlalchemy as sa
from alembic import op

revision = "0010_from_0004"
down_revision = "0009_from_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("previous_digest", sa.Text))


def downgrade() -> None:
    op.drop_column("api_keys", "previous_digest")
