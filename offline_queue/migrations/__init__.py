"""The journal's schema, forward only: one file a version."""
