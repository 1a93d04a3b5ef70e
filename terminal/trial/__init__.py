"""A technician's trial of one reader: taps of a card, what they say of reader and card, and the signed sheet."""
