"""Which outlet leads to a partner, as its entry says."""

from __future__ import annotations

from collections.abc import Callable

from gateway.adapters.outlets.assisted import AssistedOutlet
from gateway.adapters.outlets.grpc import GrpcOutlet
from gateway.app.core import Core
from gateway.app.platforms import Platforms
from gateway.kernel.assisted import ADAPTER
from gateway.kernel.identifiers import GatewayId
from gateway.ports.outlet import Outlet


def outlets_of(c: Core, platforms: Platforms | None) -> Callable[[GatewayId], Outlet]:
    """Return what opens the outlet to a partner of this gateway.

    Without an adapter key there are no `platforms`, and no active partner that needs one.
    """

    def open_outlet(partner: GatewayId) -> Outlet:
        entry = c.directory.current().partners[partner]
        if entry.outlet == ADAPTER:
            return c.seams.outlet(AssistedOutlet(c.journal, c.seams.clock))
        if entry.platform is not None:
            assert platforms is not None, "asked for at the start"
            return c.seams.outlet(platforms.outlet(entry))
        outlet = GrpcOutlet(
            entry.address,
            key=c.tls.key,
            certificate_chain=c.tls.certificate,
            authorities=entry.authorities,
            server_name=entry.server_name,
        )
        return c.seams.outlet(outlet)

    return open_outlet
