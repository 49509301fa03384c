"""`vaelab quality` and `vaelab embed`: a trained model on images of the user's choice."""
