"""Parts of the docker workspace."""
