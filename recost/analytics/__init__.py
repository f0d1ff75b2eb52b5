"""Reading what recost wrote: files, a columnar copy of them, and answers to questions about cost.

DuckDB (``recost[cli]``) does the work; it is imported when it is first needed, see `recost.analytics.engine`.
"""
