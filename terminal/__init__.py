"""The till: where a card, a sale and the offline queue meet."""
