"""Samples of the rules that need a running gateway and its sockets to be shown."""

from gateway.kernel.faults import FaultCode
from tests.integration.samples import exchange, portal
from tests.integration.samples.sample import LiveSample

SAMPLES: dict[FaultCode, LiveSample] = {**exchange.SAMPLES, **portal.SAMPLES}
