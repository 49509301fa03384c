"""`vaelab notebook`: notebooks/analysis.py as a notebook; and what its cells call."""
