"""What touches hardware. Knows no points, no till and no ledger."""
