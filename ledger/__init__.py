"""The reference central ledger: the executable specification of the wire."""
