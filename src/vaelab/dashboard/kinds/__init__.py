"""How each kind of data is looked at."""
