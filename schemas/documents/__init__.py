"""What a run leaves behind as JSON, typed and versioned: one model per file."""
