"""What a card is: its number, its proof, what the till knows of it, and the notes on it."""
