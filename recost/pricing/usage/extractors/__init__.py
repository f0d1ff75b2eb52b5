"""Extractors of usage, one module per API or family of APIs."""
