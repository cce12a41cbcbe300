"""Embedders: one module each."""
