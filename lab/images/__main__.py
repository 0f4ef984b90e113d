"""Temporary driver."""

import sys

sys.path.insert(0, "/tmp")
from prog import P

from lab.cluster import engine

engine.ensure(P())
from lab.images.build import build_all

build_all(P())
