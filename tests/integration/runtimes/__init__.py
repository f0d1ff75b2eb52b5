"""Programs under the loops, servers and schedulers of every day, run by `tests.integration.test_runtimes`.

Each is what the pages tell a user to write for that runtime. They find the server to call in ``UPSTREAM``
and the folder for the telemetry in ``RECOST_LOCAL_DIR``.
"""
