"""Sources of document patches: rendered pages with known words, scanned forms."""
