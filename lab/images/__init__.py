"""Every image the lab uses: one table, two ways to get them (pull, build), and baking into node images."""
