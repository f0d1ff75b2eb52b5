"""Path templates, and what counts as an identifier."""
