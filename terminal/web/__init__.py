"""The pages: plain HTML, ES modules and EventSource, served as they are."""
