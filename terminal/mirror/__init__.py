"""Second copies of what is not synced, for this till and for its peers."""
