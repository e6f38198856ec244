"""Finding targets."""
