"""A stored run in the formats of other programs. Pure: from a history and its verdict to the bytes of files."""
