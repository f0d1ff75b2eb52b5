"""The collector: the cloud API for a team's own machines, with the local files as its store."""
