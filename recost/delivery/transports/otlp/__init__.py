"""Metrics by OpenTelemetry's protocol: exact counters of windows, and histograms of calls."""
