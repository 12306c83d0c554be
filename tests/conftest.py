"""Its place here puts this folder on the path, so that any test can say `from media_files import write_jpeg`."""
