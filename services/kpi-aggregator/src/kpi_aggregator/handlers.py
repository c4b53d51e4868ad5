"""What sets off what."""

from fairloop.clock import Clock
from fairloop.events import Assignment, AttributionResult, Employee, OrgUnit
from fairloop.service import Handlers
from kpi_aggregator.service.contributions import apply_results
from kpi_aggregator.service.directory import save_assignments, save_employees
from kpi_aggregator.service.tree import change_tree
from kpi_aggregator.settings import KpiAggregatorSettings


def build_handlers(settings: KpiAggregatorSettings, clock: Clock) -> Handlers:
    """Events → use cases; neither settings nor time play a part."""
    return {
        AttributionResult: apply_results,
        OrgUnit: change_tree,
        Employee: save_employees,
        Assignment: save_assignments,
    }
