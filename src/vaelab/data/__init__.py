"""Data: sources that convert raw files to the one prepared format, and its readers."""
