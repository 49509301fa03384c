"""Measures: reconstruction, latents, and the trivial baselines beside them. Definitions: docs/metrics/index.md."""
