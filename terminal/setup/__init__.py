"""`tilld setup`: five questions, each answer tried, one commented config."""
