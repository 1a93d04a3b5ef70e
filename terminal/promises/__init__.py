"""By what right points are redeemed: rights held, limits, and their risk."""
