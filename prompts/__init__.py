"""Prompts: one template per request."""

# Imported as a bare top-level name this would be a second copy of the package.
assert __name__ == "eidothea.prompts", "import eidothea.prompts, never prompts"
