"""The papers at hand: where they come from, how they are searched, how they are ranked for a task."""
