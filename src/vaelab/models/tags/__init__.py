"""Networks of tag vectors."""
