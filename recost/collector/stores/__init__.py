"""Stores of windows: one module each, behind the Protocol in `recost.collector.stores.base`."""
