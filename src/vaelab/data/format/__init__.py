"""The one prepared format: written by sources, read as arrays or as batches on the device."""
