"""Receiving remote write: protobuf bytes to series and samples."""
