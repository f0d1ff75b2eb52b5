"""Delivery of windows: the queue, the retries and the transports."""
