"""Training: the loop, its checkpoints, its stopping rule, and what it writes when it goes wrong."""
