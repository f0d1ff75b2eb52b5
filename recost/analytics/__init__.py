"""Reports over recorded files: ingestion into a columnar copy, queries and their results.

DuckDB (``recost[cli]``) runs the queries. `recost.analytics.engine` imports it when it is first needed.
"""
