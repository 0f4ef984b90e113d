"""Cascade Lab: Target's cascade of January 2019 on real containers, measured link by link."""

__version__ = "0.1.0"
