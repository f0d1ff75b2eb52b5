"""Fuzz targets: what must hold for any bytes.

A module here has ``TARGETS``, functions of bytes by name, and may have ``SEEDS``, inputs to begin with by the
name of a target. ``python -m tests.fuzz`` runs them with atheris, the test beside them with Hypothesis.
"""
