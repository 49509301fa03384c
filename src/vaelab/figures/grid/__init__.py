"""Pictures of grids."""
