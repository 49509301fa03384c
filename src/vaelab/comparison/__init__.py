"""Comparison of the active runs: collected, judged, reported. Free of torch."""
