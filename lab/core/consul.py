"""Which Consul an experiment may ask for, and how its gossip is guarded."""

from typing import Literal

from pydantic import Field

from lab.core.strict import Strict

ConsulVersion = Literal["1.2.2", "1.2.2-newgossip", "1.2.3", "1.22.3"]
"""1.2.2 is a version from before Target's upgrade to 1.2.3, 1.22.3 a current one; 1.2.2-newgossip is 1.2.2 with nothing but the gossip libraries of 1.2.3."""

Encryption = Literal["off", "on", "on-without-verify", "same-key-everywhere"]
"""How the pool begins. The last differs from `on` only in what comes later: agents that a remedy deploys with a new key get the same one again."""

DEFAULT_VERSION: ConsulVersion = "1.2.2"


class Consul(Strict):
    """The Consul of servers and agents."""

    version: ConsulVersion = Field(
        DEFAULT_VERSION, description="release of servers and agents; any but the default is built when it is first asked for"
    )
    encryption: Encryption = Field(
        "off",
        description="gossip key of servers and agents from the start; without verify, what is not encrypted is believed too; same-key-everywhere is the control whose later agents get no new key",
    )
