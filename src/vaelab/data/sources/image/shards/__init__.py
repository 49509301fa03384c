"""Files that hold many images each: archives (WebDataset's .tar, .zip), tables of Hugging Face's datasets."""
