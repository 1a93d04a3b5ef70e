"""What happens when a card is presented: the read, the reading ladder, the words for a failure."""
