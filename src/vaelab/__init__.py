"""vaelab: train, measure, diagnose and compare variational autoencoders on one DVC pipeline."""

__version__ = "0.1.0"
