"""`tilld ledger`, command by command."""
