"""One typed door to Numba, so that the kernels stay checked Python functions.

Compiling takes two minutes of CPU, a run takes seconds: so the machine code is kept in a folder of the lab's cache that only this user can
enter. The folder's name holds a digest of every source file that kernels are made of: code is never older than its source, and every checkout of
the same sources finds it.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import types
from numba.core.caching import UserProvidedCacheLocator

from lab.core.paths import cache

F = TypeVar("F", bound=Callable[..., Any])
_njit: Any = numba.njit
_unliteral: Any = types.unliteral
_config: Any = numba.config


def compiled(function: F) -> F:
    """`function` compiled to machine code when the first entry that needs it is called; it can be called from compiled code only.

    No fast-math, so that a seed gives the same bytes everywhere. Leaving out the wrappers for Python saves a fifth of the time to compile.
    """
    return cast("F", _dispatcher(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, cache=False))


def entry(function: F) -> F:
    """As `compiled`, and can be called from Python; kept for the next process."""
    return cast("F", _dispatcher(function, no_cfunc_wrapper=True, cache=_FOLDER is not None))


def entry_not_kept(function: F) -> F:
    """As `entry`, for functions outside the simulator, whose source the folder's name does not hold."""
    return cast("F", _dispatcher(function, no_cfunc_wrapper=True, cache=False))


def _dispatcher(function: Callable[..., Any], **options: bool) -> Any:
    """Numba compiles a function anew for each type of its arguments: for each width of integers, even for each constant.

    All integers are taken as int64 here, so that it is compiled once.
    """
    dispatcher = _njit(function, fastmath=False, **options)
    template_of = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template_of(_widened(args), kws)
    return dispatcher


def _widened(args: Sequence[Any]) -> tuple[Any, ...]:
    plain = (_unliteral(each) for each in args)
    return tuple(types.int64 if isinstance(each, types.Integer) else each for each in plain)


class CacheLocator(UserProvidedCacheLocator):
    """Numba's own, which keeps the code of each path apart; here the folder's name already tells the sources apart."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """The name of the source's package, wherever it lies."""
        return Path(py_file).parent.name


def folder() -> Path | None:
    """Where the compiled code is kept; None: nowhere."""
    return _FOLDER


def _folder() -> Path | None:
    """The folder for compiled code, made if need be; None where it cannot be had for this user alone."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for source in (here / "compiled.py", here / "constants.py", *sorted((here / "gossip").glob("*.py"))):
        digest.update(source.read_bytes())
    folder = cache() / "simulator" / digest.hexdigest()[:16]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if private else None


_FOLDER = _folder()
if _FOLDER is not None:
    _config.CACHE_DIR = str(_FOLDER)
    _config.CACHE_LOCATOR_CLASSES = f"{__name__}.{CacheLocator.__name__}"
