"""Measures of reconstructed tags."""
