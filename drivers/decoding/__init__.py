"""Pictures to symbols."""
