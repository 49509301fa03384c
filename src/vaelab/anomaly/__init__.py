"""From saved anomaly scores to thresholds and measures: `fit`, `score`, `measure`, called by `threshold`. No torch."""
