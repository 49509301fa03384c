"""Anomaly scores to thresholds and measures: calibration, bootstrap by strip, AUPRO. Free of torch."""
