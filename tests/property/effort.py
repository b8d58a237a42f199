"""How many examples a property gets."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

LONG = settings.get_current_profile_name() == "long"


def effort(examples: int, *, steps: int = 50) -> settings:
    """Return settings for a repeatable run of `examples`; the long profile tries its own number.

    Costly properties, with few examples here, get a share of the long profile's number.
    """
    if LONG:
        return settings(max_examples=settings().max_examples * examples // 100 + 100, deadline=None)
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
