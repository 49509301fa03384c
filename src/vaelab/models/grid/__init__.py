"""Networks of categorical grids."""
