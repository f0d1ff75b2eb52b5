"""A fleet: servers, workers and scripts that send to one collector, which is killed again and again."""
