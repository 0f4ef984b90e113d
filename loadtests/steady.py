"""The steady profile: page requests at a constant rate over all pods."""

from shared import Timed, Visitor, record

__all__ = ["Timed", "Visitor"]

record("steady")
