"""Models, one back end a file."""
