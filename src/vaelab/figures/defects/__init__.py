"""Pictures of defects: maps, outlines, strips, curves."""
