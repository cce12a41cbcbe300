"""Warm starts for bubblewrap: a server that has imported what is slow to import, and forks a process for each job."""
