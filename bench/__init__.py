"""Figures about tilld, beside what one would use instead. `python -m bench [--quick] [SECTION…]` runs them."""
