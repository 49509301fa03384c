"""Everything that can be set: the schema of params.yaml, and its resolution into complete runs."""
