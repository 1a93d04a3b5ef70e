"""What every keeper of books offers, its answers and its refusals: values and protocols, no rule and no I/O."""
