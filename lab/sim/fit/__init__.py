"""The simulator's free parameters fitted to real runs."""
