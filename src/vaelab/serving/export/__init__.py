"""A trained run as a folder that goes elsewhere: weights, graphs, what scores, and a card that says what it is."""
