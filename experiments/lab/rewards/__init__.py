"""Reward models: what gives a score to a solution or to the prefixes of one."""
