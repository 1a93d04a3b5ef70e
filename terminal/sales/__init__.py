"""From a request of the POS to its durable entry, and what the till may say of the points."""
