"""Sums of calls by endpoint: windows of buckets, percentiles, breakdowns by model and by tags."""
