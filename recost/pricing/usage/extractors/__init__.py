"""Readers of responses, one file per family of shapes."""
