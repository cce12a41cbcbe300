"""Experiments: the tasks, and the laboratory of blocks that generated code builds on."""

# Imported as a bare top-level name this would be a second copy of the package.
assert __name__ == "eidothea.experiments", "import eidothea.experiments, never experiments"
