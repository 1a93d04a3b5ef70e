"""One supervised child process for each configured reader."""
