"""The commands of alerts: ``check``, ``watch``, ``notify`` and ``digest``."""
