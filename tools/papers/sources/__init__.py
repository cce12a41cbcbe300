"""Paper sources: one module each."""
