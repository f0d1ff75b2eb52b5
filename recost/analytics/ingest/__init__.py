"""Bringing recorded files into the columnar copy: finding, recognising, unpacking and reading them."""
