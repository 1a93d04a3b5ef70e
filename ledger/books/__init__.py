"""Keeping the books, whatever engine holds their tables: the calls of the wire and those of the office."""
