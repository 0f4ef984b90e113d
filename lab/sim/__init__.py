"""The simulator: gossip rules on arrays, pure formulas, and what they are held against. No process, no socket, no clock."""
