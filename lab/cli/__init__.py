"""The command line: parses, shows progress, sets the exit code; the only console."""
