"""The pool as the kernels see it: one pointer, where Numba would pass a tuple member by member at every call."""

from typing import Any, cast

from numba.core import types
from numba.experimental import structref

from lab.sim.gossip.state import Pool

_define_proxy: Any = structref.define_proxy


@structref.register
class _HandleType(types.StructRef):
    """Numba's type of a handle; its fields are those of `Pool`."""


class _Handle(structref.StructRefProxy):
    """What a compiled function takes as its `pool`."""


_define_proxy(_Handle, _HandleType, list(Pool._fields))


def handle(pool: Pool) -> Pool:
    """The same arrays behind one pointer; fit for compiled functions only."""
    proxy: Any = _Handle
    return cast("Pool", proxy(*pool))
