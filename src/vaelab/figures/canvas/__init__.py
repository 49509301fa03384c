"""What all pictures are drawn with: files, captions, tiles, colour scales, names of users."""
