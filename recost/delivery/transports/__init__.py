"""The destinations: one module each, with a class that satisfies the Protocol in `base`.

`recost.lifecycle.compose` has one registration line for each.
"""
