"""Alerts: rules over recorded and billed costs, which reach people once.

`recost.alerts.config` reads ``recost.toml``. `recost.alerts.rules` finds what is unusual now.
`recost.alerts.state` keeps what was sent, and what waits. `recost.alerts.targets` has one module for each
kind of target.
"""
