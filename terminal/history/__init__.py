"""The last days of the till in small numbers: cards read, entries waiting, how long the ledger took; lossy."""
