"""Reports over a database that collectors write: the same questions, asked in the engine's own SQL.

Three designs were compared. sqlglot transpiles DuckDB's SQL: its import takes 0.7 s, a statement 0.2 s, and
half of the functions come out unchanged (``to_microseconds``, ``map_extract``, ``regexp_full_match``). Copies
of the rows, or of their sums by hour, could be read by DuckDB. But endpoints, minutes, waste and sparklines
are about the rows themselves, so a report would move most of the table. The third was chosen:
`recost.analytics.dialect.Dialect` has a short method for each expression in which engines differ. Questions,
comparisons, order, totals and notes stay in one place, and only sums leave the database.

The tables have the rows of the columnar copy: ``source`` is the number of a project, times are UTC without a
zone, and amounts are US cents with 24 places. A command reads one snapshot.
"""
