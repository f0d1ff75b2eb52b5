"""Every regular expression and template of the package, and what takes each of them longest."""
