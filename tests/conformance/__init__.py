"""Conformance suites: what each client, each transport and each rule must do."""
