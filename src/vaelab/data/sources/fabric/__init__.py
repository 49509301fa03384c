"""Sources of strips of fabric (and other surfaces) with defects and their masks."""
