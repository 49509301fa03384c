"""Measures of reconstructed grids."""
