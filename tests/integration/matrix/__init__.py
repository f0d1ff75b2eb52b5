"""Each SDK against the server that stands for its provider: what was served, what recost recorded.

`run` makes the calls of one SDK and compares; `environments` makes an environment for each; the command is
``python -m tests.integration.matrix``.
"""
