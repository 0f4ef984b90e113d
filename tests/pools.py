"""What a gossip pool did, made up for tests."""

from typing import Any

from lab.checkers.pool import Pool


def pool(calm_after_s: float | None, **more: Any) -> Pool:
    """One that was watched for 240 s; whatever is not said in `more` did not happen or was not measured."""
    nothing: dict[str, Any] = dict.fromkeys(("phantoms", "phantom_members", "waves", "refuted"), 0)
    unknown: dict[str, Any] = dict.fromkeys(name for name in Pool.model_fields if name not in nothing)
    return Pool.model_validate({**nothing, **unknown, "last_kill_at_s": 100, "watched_s": 240, "calm_after_s": calm_after_s, **more})
