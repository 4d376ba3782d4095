"""The store on SQLAlchemy Core: SQLite or PostgreSQL from the same tables, statements and migrations.

A row becomes a frozen value of the domain by one explicit function beside its table's repository. There are no
entities.
"""
