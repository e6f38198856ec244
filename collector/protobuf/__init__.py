"""Reading protobuf messages by hand."""
