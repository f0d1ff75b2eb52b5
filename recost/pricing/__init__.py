"""Which provider a call goes to, and what it costs."""
