"""Sources of images: photographs and textures, folders of files, NumPy files."""
