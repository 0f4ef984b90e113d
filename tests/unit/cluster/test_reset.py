"""Deleting pods on an API server that is too busy to answer."""

import pytest

from lab.adapters.kube import Kube
from lab.cluster import reset
from lab.core.errors import Unavailable


class Busy(Kube):
    """Answers from the `answers_from`-th time on."""

    def __init__(self, answers_from: int) -> None:
        self.asked: list[str] = []
        self._answers_from = answers_from

    def delete_pods(self, selector: str, *, grace_s: int = 0) -> None:  # as the API's
        self.asked.append(selector)
        if len(self.asked) < self._answers_from:
            raise Unavailable("DELETE pods", "timed out", "look")


def test_a_busy_api_server_is_asked_again_to_delete() -> None:
    kube = Busy(answers_from=reset.DELETE_TRIES)
    reset._delete(kube, "app")
    assert kube.asked == ["app.kubernetes.io/name=app"] * reset.DELETE_TRIES


def test_one_that_never_answers_is_given_up() -> None:
    with pytest.raises(Unavailable):
        reset._delete(Busy(answers_from=reset.DELETE_TRIES + 1), "app")
