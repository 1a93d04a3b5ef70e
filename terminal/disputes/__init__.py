"""What ledger and till disagree on, and a person's decision."""
