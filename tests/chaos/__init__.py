"""Chaos, seeded: processes that are forked, killed, stopped and starved, behind a network that fails."""
