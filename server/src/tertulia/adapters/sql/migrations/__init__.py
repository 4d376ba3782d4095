"""Alembic's folder; it travels inside the wheel."""
