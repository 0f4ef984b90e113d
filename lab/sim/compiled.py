"""One typed door to Numba, so that the kernels stay checked Python functions."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numba
from numba.core import types

F = TypeVar("F", bound=Callable[..., Any])
_njit: Any = numba.njit
_unliteral: Any = types.unliteral


def compiled(function: F) -> F:
    """`function` compiled to machine code when the first entry that needs it is called; it can be called from compiled code only.

    No cache on disk, no fast-math, so that a seed gives the same bytes everywhere. Leaving out the wrappers for Python saves a third of the
    time to compile.
    """
    return cast("F", _dispatcher(function, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def entry(function: F) -> F:
    """As `compiled`, and can be called from Python."""
    return cast("F", _dispatcher(function, no_cfunc_wrapper=True))


def _dispatcher(function: Callable[..., Any], **options: bool) -> Any:
    """Numba compiles a function anew for each type of its arguments: for each width of integers, even for each constant.

    All integers are taken as int64 here, so that it is compiled once.
    """
    dispatcher = _njit(function, cache=False, fastmath=False, **options)
    template_of = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template_of(_widened(args), kws)
    return dispatcher


def _widened(args: Sequence[Any]) -> tuple[Any, ...]:
    plain = (_unliteral(each) for each in args)
    return tuple(types.int64 if isinstance(each, types.Integer) else each for each in plain)
