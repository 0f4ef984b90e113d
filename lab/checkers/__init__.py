"""Pure judges of a history."""
