"""Files that nobody would write on purpose, or only on purpose, and all that reads them."""
