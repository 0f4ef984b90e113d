"""Reversible injuries."""
