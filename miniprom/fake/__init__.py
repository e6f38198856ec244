"""The fake Prometheus: a server whose time, samples and faults a test decides over."""
