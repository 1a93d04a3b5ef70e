"""The ledger over HTTP: its door, its callers and the calls of the wire (docs/protocol.md section 5)."""
