"""What to do: changes of a run with values that are computed from its own numbers."""
