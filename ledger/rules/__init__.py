"""The rules, without I/O: a record, and what the books say about it, become a decision."""
