"""`python -m lab.cli` is `lab`."""

from lab.cli.main import main

main()
