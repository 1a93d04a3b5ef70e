"""The invariants, computed again from the records: nothing that was summed up is believed."""
