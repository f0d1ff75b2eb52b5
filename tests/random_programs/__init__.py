"""Random programs that make calls, run with and without recost: nothing that they see may differ."""
