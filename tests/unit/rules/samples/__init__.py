"""One passing and one failing sample of every rule that can be shown without a socket or a disk."""

from gateway.kernel.faults import FaultCode
from tests.unit.rules.samples import (
    agreement,
    arrivals,
    assisted,
    casework,
    catalogue,
    delivery,
    item_list,
    mapping,
    onboarding,
    operators,
    schema,
    trust,
)
from tests.unit.rules.samples.sample import Sample

SAMPLES: dict[FaultCode, Sample] = {
    **trust.SAMPLES,
    **delivery.SAMPLES,
    **schema.SAMPLES,
    **catalogue.SAMPLES,
    **item_list.SAMPLES,
    **mapping.SAMPLES,
    **onboarding.SAMPLES,
    **operators.SAMPLES,
    **agreement.SAMPLES,
    **assisted.SAMPLES,
    **arrivals.SAMPLES,
    **casework.SAMPLES,
}
