"""Workspaces: where candidate code runs, one kind a file."""

# Imported as a bare top-level name this would be a second copy of the package.
assert __name__ == "eidothea.workspaces", "import eidothea.workspaces, never workspaces"
