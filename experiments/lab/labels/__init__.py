"""Where training labels for steps come from."""
