"""A trained model in use: loaded in a line, scoring pictures, exported to go elsewhere."""
