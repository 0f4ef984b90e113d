from pathlib import Path

from lab.sim.compiled import CacheLocator, folder
from lab.sim.gossip.script import mark


def test_code_is_kept_by_the_digest_of_its_sources_and_not_by_the_path_of_the_checkout():
    here, there = (CacheLocator.get_suitable_cache_subpath(f"{root}/lab/sim/gossip/script.py") for root in ("/a", "/b/c"))
    assert here == there == "gossip"


def test_numba_keeps_it_there():
    place = folder()
    assert place is not None
    assert Path(mark.stats.cache_path) == place / "gossip"  # type: ignore[attr-defined]
