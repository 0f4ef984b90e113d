"""Turns a history into one page."""
