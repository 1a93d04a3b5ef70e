"""The books on an embedded SQLite file."""
