"""`python -m terminal` is `tilld`."""

from terminal.cli import main

main()
