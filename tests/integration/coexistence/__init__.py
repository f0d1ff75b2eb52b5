"""recost and the tracing tools, on the same methods of the same clients, in every order.

    python -m tests.integration.coexistence [--every] [combination …]

An order is who installs when and who uninstalls when. Each one runs in a process of its own (`orders`), with
real calls to the loopback server through every client (`calls`) after each step, and recost posting its
windows to the API server of the tests meanwhile. What must come out is what comes out without recost: see
`table`. A tool is one class in `tools`.
"""
