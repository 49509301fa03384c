"""Measures of latents, the prior that samples are drawn from, and what is decoded from chosen latents."""
