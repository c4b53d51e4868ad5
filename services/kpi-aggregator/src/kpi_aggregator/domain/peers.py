"""Who is compared with whom when a prior is estimated."""

from collections.abc import Iterable

from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.reliability import Prior, prior_of
from kpi_aggregator.domain.settings import KpiSettings
from kpi_aggregator.domain.sums import Sums
from kpi_aggregator.domain.tree import Tree

PeerGroup = tuple[str, str, str | None]


def peer_group(scope: Scope, tree: Tree) -> PeerGroup | None:
    """Employees are peers of all employees, units of the units beside them, in the same view; others have none."""
    if scope.scope_type == "employee":
        return scope.scope_type, scope.view, None
    if scope.scope_type == "org_unit":
        return scope.scope_type, scope.view, tree.parents.get(scope.scope_id)
    return None


def prior_for(kpi: str, peers: Iterable[Sums], settings: KpiSettings) -> Prior:
    """The prior of one peer group."""
    return prior_of(list(peers), factor=SCALES[kpi].factor, published=settings.prior)
