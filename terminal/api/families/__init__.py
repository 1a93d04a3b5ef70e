"""One module for each family of routes; terminal/api/table.py puts them together."""
