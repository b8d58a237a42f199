"""The texts of agreements, the verdicts on them and what became of our notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update

from gateway.adapters.sql import schema as t

if TYPE_CHECKING:
    from gateway.adapters.sql.statements import Compiler


class AgreementStatements:
    """Part of `Statements`."""

    def _of_agreements(self, sql: Compiler) -> None:
        a, v = t.agreements.c, t.agreement_acts.c
        contents = select(*t.agreements.columns).order_by(a.recorded_at_ms, a.digest)
        acts = select(*t.agreement_acts.columns).order_by(v.digest, v.party, v.verdict)
        self.agreements = sql.text(contents)
        self.agreement = sql.text(contents.where(a.digest == bindparam("of")), ["of"])
        self.agreement_acts = sql.text(acts)
        self.acts_on = sql.text(acts.where(v.digest == bindparam("of")), ["of"])
        self.agreements_proposed_by = sql.text(
            select(func.count()).where(
                a.counterpart == bindparam("of"), a.proposer == a.counterpart
            ),
            ["of"],
        )
        n, d = t.agreement_notices.c, t.agreements_dropped.c
        self.notices = sql.text(
            select(*t.agreement_notices.columns).order_by(n.said_at_ms, n.partner, n.kind)
        )
        self.put_notice = sql.upsert(t.agreement_notices)
        said = ("outcome", "settled_at_ms", "rule", "text_zh", "text_en")
        settled = update(t.agreement_notices).where(n.draft_id == bindparam("of"))
        self.settle_notice = sql.text(
            settled.values({name: bindparam(f"new_{name}") for name in said}),
            [*(f"new_{name}" for name in said), "of"],
        )
        self.dropped = sql.text(
            select(*t.agreements_dropped.columns).where(d.digest == bindparam("of")), ["of"]
        )
        self.put_dropped = sql.upsert(t.agreements_dropped)
        self.forget_dropped = sql.text(
            delete(t.agreements_dropped).where(d.digest == bindparam("of")), ["of"]
        )
        self.drop_agreement = sql.text(
            delete(t.agreements).where(a.digest == bindparam("of")), ["of"]
        )
        self.put_agreement = sql.keep(t.agreements)
        self.put_act = sql.keep(t.agreement_acts)
