"""Pictures of tag vectors."""
