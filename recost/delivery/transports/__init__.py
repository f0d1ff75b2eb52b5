"""The destinations: one module each, with a class that satisfies the Protocol in `base`.

Each has a row in `recost.delivery.kinds` and one in `recost.lifecycle.compose`.
"""
