"""The laboratory: building blocks for experiments, one method a file; imports nothing of Eidothea but itself."""
