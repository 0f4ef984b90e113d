"""Types, protocols, units, errors, history and ledger: no process, no socket."""
