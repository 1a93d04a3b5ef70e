"""What the rules know and say: values only, no rule and no I/O."""
