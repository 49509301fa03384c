"""Anomaly scores of images, place by place, of the model and of baselines."""
