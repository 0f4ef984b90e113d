"""Every fault by its name in an experiment file. A new one is a new file and a line here (and in `FaultSpec.fault`)."""

from lab.core.protocols import FaultTable
from lab.faults.pause_broker import PauseBroker

FAULTS: FaultTable = {"pause-broker": PauseBroker}
