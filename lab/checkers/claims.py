"""The figures a cascade must show, computed from the history: how far the reproduction reaches."""

from pydantic import Field

from lab.checkers.consul_slow import agent_reads
from lab.checkers.gossip_churn import gone_members, gone_share, steady_pool
from lab.checkers.nodes_not_ready import lost_since
from lab.checkers.pods_evicted import evicted_share
from lab.checkers.result import Strict
from lab.checkers.series import percentile
from lab.checkers.watch import Watch
from lab.core.history import History

NODES_MIN, EVICTED_MIN, READ_RATIO_MIN, MEMBERS_MIN = 2, 0.25, 10.0, 0.25
"""What the reproduction of the incident sets out to show at the least."""


class Claims(Strict):
    """Null where it was not measured. `met` is true only if all four were measured and reach their least."""

    nodes_not_ready_after_release: int
    pods_evicted_share: float = Field(description="pods of the steady phase that were evicted; their replacements are not counted")
    agent_read_ms_p99_steady: float | None
    agent_read_ms_p99_after_release: float | None
    agent_read_p99_ratio: float | None
    members_gone_share: float | None = Field(description="members that failed or left at some time, each once, over the steady pool")
    members_gone_share_at_once: float | None = Field(description="most that had failed or left at one time beyond the steady state")
    met: bool


def claims(history: History, watch: Watch) -> Claims:
    """The four figures; from the release on for nodes and reads, from the end of the steady phase for pods and members."""
    calm = agent_reads(history, watch.settled_s, watch.steady_end_s)
    later = agent_reads(history, watch.from_release_s, watch.end_s)
    calm_ms = percentile(calm, 0.99) if calm else None
    later_ms = percentile(later, 0.99) if later else None
    ratio = later_ms / calm_ms if later_ms is not None and calm_ms else None
    shares = [(point.at_s, point.value) for point in gone_share(history, watch) if point.value is not None]
    before = max((share for at_s, share in shares if watch.begin_s <= at_s < watch.steady_end_s), default=0.0)
    at_once = max((share - before for at_s, share in shares if watch.steady_end_s <= at_s <= watch.end_s), default=None)
    pool = steady_pool(history, watch)
    gone = len(gone_members(history, watch)) / pool if pool else None
    nodes = len(lost_since(history, watch, watch.from_release_s))
    evicted = evicted_share(history, watch)
    met = (
        nodes >= NODES_MIN
        and evicted >= EVICTED_MIN
        and (ratio is not None and ratio >= READ_RATIO_MIN)
        and (gone is not None and gone >= MEMBERS_MIN)
    )
    return Claims(
        nodes_not_ready_after_release=nodes,
        pods_evicted_share=evicted,
        agent_read_ms_p99_steady=calm_ms,
        agent_read_ms_p99_after_release=later_ms,
        agent_read_p99_ratio=ratio,
        members_gone_share=gone,
        members_gone_share_at_once=at_once,
        met=met,
    )
