"""Discovery in Kubernetes: a copy of the API server's objects, and the targets that follow from it."""
