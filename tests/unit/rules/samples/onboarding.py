from functools import partial

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.partner_state import PartnerState
from gateway.rules.onboarding import (
    PartnerEvent,
    require_conformant,
    require_usable,
    require_vacant,
    step,
)
from tests.unit.rules.samples.sample import Sample

SAMPLES = {
    F.PARTNER_STATE: Sample(
        partial(step, PartnerState.TESTING, PartnerEvent.ACTIVATE),
        partial(step, PartnerState.DRAFT, PartnerEvent.ACTIVATE),
    ),
    F.PARTNER_NOT_CONFORMANT: Sample(
        partial(require_conformant, ()), partial(require_conformant, ("expired",))
    ),
    F.PARTNER_ENTRY_TAKEN: Sample(
        partial(require_vacant, PartnerState.DRAFT, over_draft=True),
        partial(require_vacant, PartnerState.DRAFT, over_draft=False),
    ),
    F.PARTNER_ENTRY_INVALID: Sample(
        partial(require_usable, ()), partial(require_usable, ("partner.toml: not TOML",))
    ),
}
