"""Planted defects: corruptions with an exact mask, for data with labels and for training."""
