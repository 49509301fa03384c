"""What raw data are: layouts of folders and files, each to a data set as it is proposed."""
