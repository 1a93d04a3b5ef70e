"""What must never lose a point: entries, the journal on disk, and their way to the ledger.

Knows no hardware and no POS.
"""
