"""Read-only questions, each with its own time-out."""
