"""The signs, by what they are of."""
