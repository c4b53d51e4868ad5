"""The five services there are."""

SERVICES = {
    "survey-intake": "survey_intake",
    "attribution": "attribution",
    "kpi-aggregator": "kpi_aggregator",
    "closed-loop": "closed_loop",
    "bonus": "bonus",
}
"""Service name → the package that holds it."""
