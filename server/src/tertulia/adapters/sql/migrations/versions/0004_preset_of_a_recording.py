"""What one recording shall hold, where that is not what the settings say."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("preset", sa.Text))


def downgrade() -> None:
    op.drop_column("recordings", "preset")
