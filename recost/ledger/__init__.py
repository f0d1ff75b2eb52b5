"""The providers' own ledgers: what they billed, pulled from their usage APIs and kept in local files.

A ledger is one module of `recost.ledger.providers`. `recost.ledger.pulling` asks it for days, and
`recost.ledger.store` keeps what it returned. `recost.ledger.reconcile` holds both sides against each other.
"""
