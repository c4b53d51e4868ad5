"""How thoroughly to look: `--hypothesis-profile=long` (`make property`) takes minutes instead of seconds."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "long",
    deadline=None,
    max_examples=600,
    stateful_step_count=60,
    report_multiple_bugs=False,
    phases=(
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
        Phase.shrink,
    ),  # explaining traces every line: too slow here
    suppress_health_check=list(HealthCheck),
)
