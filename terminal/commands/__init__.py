"""The command line: one module a command; terminal/cli.py puts them together."""
