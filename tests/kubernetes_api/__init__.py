"""A small Kubernetes API server, and the objects to put into it."""
