"""Opening a partner with SOAP services."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from gateway.adapters.outlets.https import HttpsAccess, HttpsLine, client_tls, is_plain_loopback
from gateway.adapters.outlets.soap.dialect import Soap, SoapFeedback
from gateway.adapters.outlets.soap.settings import SoapSettings
from gateway.app.dialects.files import read_named, read_secret_text
from gateway.app.dialects.opening import Opened, Opening
from gateway.app.problems import ConfigProblem


@dataclass(frozen=True)
class SoapKind:
    """Implements `DialectKind`."""

    settings: type[SoapSettings] = SoapSettings

    def open(self, settings: SoapSettings, opening: Opening) -> Opened:
        """See `DialectKind`."""
        s = settings
        folder, demo = opening.folder, opening.demo
        named = s.client_certificate, s.client_key
        tls = platform_tls(opening, s.url, s.authorities, named)
        line = HttpsLine(HttpsAccess(s.url, tls, s.server_name, s.timeout_s))
        dialect = Soap(s, line, read_secret_text(folder, s.licence_file, demo=demo))
        if s.inbound_licence_file is None:
            return Opened(dialect)
        licence = read_secret_text(folder, s.inbound_licence_file, demo=demo)
        return Opened(
            dialect,
            SoapFeedback(
                opening.partner.gateway_id,
                s,
                licence,
                opening.reception,
                opening.translation.say,
                opening.log,
            ),
        )


def platform_tls(
    opening: Opening, url: str, authorities: str, certificate: tuple[str | None, str | None]
) -> ssl.SSLContext | None:
    """Return what a platform's certificate is checked with; None on loopback in demo mode.

    Raises:
        ConfigProblem: a file cannot be used, or plaintext is asked for outside demo mode.
    """
    if is_plain_loopback(url):
        if not opening.demo:
            raise ConfigProblem(opening.folder, ["outlet: http is for demo mode; use https"])
        return None
    folder = opening.folder
    trusted = read_named(folder, authorities)
    names = [n for n in certificate if n is not None]
    try:
        for name in names:
            read_named(folder, name)
        files = (str(folder / names[0]), str(folder / names[1])) if len(names) == 2 else None
        return client_tls(trusted, files)
    except (ssl.SSLError, OSError, UnicodeDecodeError) as problem:
        what = " or ".join([authorities, *names])
        told = f"{what}: 不是可用的证书 no certificate or key that can be used (PEM)"
        raise ConfigProblem(folder, [told]) from problem
