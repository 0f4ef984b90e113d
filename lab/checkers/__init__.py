"""Pure judges of a history, one file per link of the chain: same history, same verdict."""
