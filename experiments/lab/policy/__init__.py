"""Policies: a tiny GPT and how to sample from it."""
