"""Documents made from a form's JSON Schema, deterministic by seed, from the least to the fullest.

To try a mapping or a form before anyone fills it in: nothing in them is a person's or a company's.
"""

from gateway.rules.form_samples.documents import CannotMake, make
from gateway.rules.form_samples.draws import Draws, Fill

__all__ = ["CannotMake", "Draws", "Fill", "make"]
