"""Follows one collection of the Kubernetes API and keeps it at hand.

List, then watch from there; when the watch ends or breaks, again. What is seen goes to a cache that says what it means for the history.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from lab.core.errors import Unavailable
from lab.core.protocols import Emit

Object = dict[str, Any]

_RETRY_S = 1.0
"""Pause before the next try when the API server fails. Chosen: a run lasts minutes; less presses on a server that is in trouble."""
_AGAIN_S = 0.2
"""Pause after a watch that the server ended, so that one which ends at once is not asked in a tight loop; nothing is missed, it resumes."""
_LEAVE_S = 1.5
"""How long `run` waits for its reader after `stop`; the promise is 2 s."""


class Stream(Protocol):
    """A running watch; `close` may be called from another thread."""

    def __iter__(self) -> Iterator[tuple[str, Object]]: ...
    def close(self) -> None: ...


class Source(Protocol):
    """A collection: `list` gives the objects and the version from which to `watch`."""

    def list(self) -> tuple[list[Object], str]: ...
    def watch(self, version: str) -> Stream: ...


class Cache(Protocol):
    """What keeps the objects. Called from one thread; read from others."""

    def replace(self, objects: Iterable[Object], emit: Emit) -> None:
        """Take over a fresh list: what is not in it is gone."""
        ...

    def apply(self, change: str, found: Object, emit: Emit) -> None:
        """`change` is ADDED, MODIFIED or DELETED."""
        ...


class Watched(Protocol):
    """Says why its cache may be out of date, or None while it is not."""

    @property
    def problem(self) -> str | None: ...


class Reflector:
    """`Watch` of one collection.

    Args:
        name: of the watch.
        source: the collection.
        cache: where the objects go.
    """

    def __init__(self, name: str, source: Source, cache: Cache) -> None:
        self.name = name
        self._source = source
        self._cache = cache
        self._lock = threading.Lock()
        self._stream: Stream | None = None
        self._problem: str | None = "not read yet"

    @property
    def problem(self) -> str | None:
        """Why the cache may be out of date; None while the watch runs."""
        return self._problem

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Follow until `stop`. A reader thread may block on the API server; this one leaves in time without it.

        Raises:
            Unavailable: the reader ended by a defect.
        """
        reader = threading.Thread(target=self._follow_always, args=(emit, stop), name=f"watch-{self.name}", daemon=True)
        reader.start()
        while not stop.wait(0.5):
            if not reader.is_alive():
                self._problem = "the reader ended"
                raise Unavailable(f"follow {self.name}", self._problem)
        with self._lock:
            if self._stream is not None:
                self._stream.close()
        reader.join(_LEAVE_S)

    def _follow_always(self, emit: Emit, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._follow(emit, stop)
            except Unavailable as error:
                self._problem = error.came_back or str(error)
                stop.wait(_RETRY_S)

    def _follow(self, emit: Emit, stop: threading.Event) -> None:
        objects, version = self._source.list()
        if stop.is_set():
            return
        self._cache.replace(objects, emit)
        while not stop.is_set():
            stream = self._source.watch(version)
            with self._lock:
                self._stream = stream
                if stop.is_set():
                    stream.close()
            self._problem = None
            for change, found in stream:
                if stop.is_set():
                    return
                version = found["metadata"]["resourceVersion"]
                if change != "BOOKMARK":
                    self._cache.apply(change, found, emit)
            stop.wait(_AGAIN_S)
