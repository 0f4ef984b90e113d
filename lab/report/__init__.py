"""A history and its verdict, made into one page that needs nothing else."""
