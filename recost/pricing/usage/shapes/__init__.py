"""Readers of answers, one file per family of shapes."""
