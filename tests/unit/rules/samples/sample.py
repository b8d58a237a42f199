"""What a sample is."""

from collections.abc import Callable
from typing import NamedTuple


class Sample(NamedTuple):
    """One call that keeps a rule and one, as like it as can be, that breaks it."""

    passing: Callable[[], object]
    failing: Callable[[], object]
