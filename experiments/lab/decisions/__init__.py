"""From step scores to a decision: which step, if any, is the first wrong one."""
