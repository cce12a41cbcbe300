"""The catalogue's parts, one request or one responsibility a module."""
