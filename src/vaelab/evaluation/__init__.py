"""Measures: reconstruction, latents, and the trivial floors beside them. Definitions: docs/metrics.md."""
