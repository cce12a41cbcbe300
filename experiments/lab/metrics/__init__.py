"""How well errors are found."""
