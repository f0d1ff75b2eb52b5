"""Adding calls up: windows, buckets, percentiles, and the endpoints that they are grouped by."""
