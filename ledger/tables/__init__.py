"""The books in tables, in the SQL that SQLite and PostgreSQL share."""
