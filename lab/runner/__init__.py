"""Turns an experiment into a history."""
