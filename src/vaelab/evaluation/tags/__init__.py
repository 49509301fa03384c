"""The whole measurement of a finished run on tags."""
