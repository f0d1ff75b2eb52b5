"""Providers and costs of calls."""
