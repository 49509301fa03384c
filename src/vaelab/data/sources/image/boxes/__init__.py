"""Boxes of text that a folder of images comes with: read, moved with the image, drawn as masks, counted."""
