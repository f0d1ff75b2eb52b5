"""Getting windows to where they go: what is kept, in which order, and when it is tried again."""
