"""Named, seeded workloads, of ours and of the peers that are installed: `python -m benchmarks`."""
