"""Sources of tag vectors: generated ones, tables of tagged rows."""
