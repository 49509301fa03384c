"""Models: networks that map x to an `Inference`, and the files that hold them."""
