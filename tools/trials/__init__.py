"""Trials: run a candidate's code, collect what it made, and have it graded where it cannot reach."""
