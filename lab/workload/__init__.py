"""User traffic and the accounting of log lines."""
