"""The part of the books that a batch touches, in memory: loaded in bulk, changed by the rules, written in bulk."""
