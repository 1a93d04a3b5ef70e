"""Points as values: lots with their dates, what may be used when, and what the programme gives for an amount."""
