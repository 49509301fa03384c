"""Sources of categorical grids."""
