"""Every fault and every remedy by its name in an experiment file. A new one is a new file and a line here, and what a file may say of it in
`FAULT_SPECS` or `REMEDY_SPECS`.
"""

from lab.core.protocols import FaultTable
from lab.faults.churn_pods import ChurnPods
from lab.faults.flap_broker import FlapBroker
from lab.faults.kill_agents import KillAgents
from lab.faults.partition_broker import PartitionBroker
from lab.faults.pause_agents import PauseAgents
from lab.faults.pause_broker import PauseBroker
from lab.faults.redeploy_agents import RedeployAgents
from lab.faults.stress_node import StressNode

FAULTS: FaultTable = {
    "pause-broker": PauseBroker,
    "flap-broker": FlapBroker,
    "partition-broker": PartitionBroker,
    "kill-agents": KillAgents,
    "pause-agents": PauseAgents,
    "churn-pods": ChurnPods,
    "stress-node": StressNode,
    "redeploy-agents": RedeployAgents,
}
