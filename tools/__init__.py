"""Tools: what agents and the graph work with."""

# Imported as a bare top-level name this would be a second copy of the package.
assert __name__ == "eidothea.tools", "import eidothea.tools, never tools"
