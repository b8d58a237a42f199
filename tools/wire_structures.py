"""Vectors of single structures: encodings, PAEs, commitments, trees, signatures, statuses."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message as Protobuf

from gateway.kernel import digests
from gateway.kernel.envelope import (
    AttachmentRef,
    AttachmentState,
    DigestAlgorithm,
    NotTakenIn,
    Outcome,
    ReceiptQuery,
    Right,
    Strength,
)
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, MessageId
from gateway.kernel.merkle import leaf_hash, tree
from gateway.rules.agreement import Act, OpenCases, Verdict
from gateway.wire import calls
from gateway.wire.envelopes import Attestation, encode_attestation, encode_signed_attestation
from gateway.wire.generated import agreement_pb2, exchange_pb2, message_pb2, receipt_pb2
from gateway.wire.receipts import encode_agreement_act, encode_signed_agreement_act
from gateway.wire.rpc_status import encode_fault
from tools.wire_samples import (
    ANSWERING,
    EDDSA,
    ES256,
    KEYS,
    NOW_MS,
    SENDER,
    alone,
    batch,
    drawn,
    message,
    new_id,
    receipt,
    signed_receipt,
    submission,
)

Vector = dict[str, Any]
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def keys() -> list[Vector]:
    """Return the registered keys: whose, suite, validity, and where the example files are."""
    return [
        {
            "gateway": key.gateway,
            "suite": key.registered.suite,
            "key_id": key.registered.key_id.hex(),
            "public_key_spki": key.registered.public_key.hex(),
            "not_before_ms": key.registered.not_before_ms,
            "not_after_ms": key.registered.not_after_ms,
            "certificate": f"certs_example/{key.gateway}/{key.name}.pem",
            "private_key": f"certs_example/{key.gateway}/{key.name}.key.pem",
        }
        for key in KEYS.values()
    ]


def _structure(name: str, kind: type[Protobuf], raw: bytes) -> Vector:
    parsed = kind.FromString(raw)
    assert parsed.SerializeToString(deterministic=True) == raw, name
    return {
        "name": name,
        "type": kind.DESCRIPTOR.full_name,
        "fields": MessageToDict(parsed, preserving_proto_field_name=True),
        "bytes": raw.hex(),
    }


def structures() -> Vector:
    """Return an encoding of each message; `fields` is protobuf's JSON form."""
    note = "protobuf JSON: bytes are base64, 64-bit integers are text, defaults are left out"
    return {"fields": note, "vectors": [*_signed_structures(), *_call_structures()]}


def _signed_structures() -> list[Vector]:
    ping, opened = message("structure ping").signed(), submission("structure").signed()
    full = submission(
        "structure full",
        sequence=2**32 - 1,
        previous_digest=drawn("previous", 32),
        last_seen_digest=drawn("last seen", 32),
        in_reply_to=new_id("replied"),
        delegated_right=Right.VERIFY_ORIGINALS,
        trace_context="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        required_suites=("ES256", "EdDSA"),
        critical=("sample",),
        digest_algorithm=DigestAlgorithm.SM3,
    )
    of_two = batch(ES256, [ping.signed_input, opened.signed_input])[1]
    assert of_two.batch is not None
    attachment = message_pb2.Attachment(
        material_code="01",
        name="示例.pdf",
        media_type="application/pdf",
        size=300,
        salt=drawn("file salt", 32),
        commitment=drawn("file", 32),
    )
    both = message_pb2.Body(form=b"{}", attachments=[attachment, attachment])
    refused = receipt(
        opened,
        Outcome.REFUSED,
        rule="delivery.expired",
        text_zh="已过期（示例）",
        text_en="expired (sample)",
    )
    act_bytes = encode_agreement_act(
        drawn("agreement", 32), Act(SENDER, Verdict.REVOKE, NOW_MS, b"", OpenCases.STOP), "示例"
    )
    act = encode_signed_agreement_act(
        act_bytes, [alone(ES256, digests.pae(digests.TYPE_AGREEMENT_ACT, act_bytes))]
    )
    attested = encode_attestation(
        Attestation(
            SENDER,
            "assisted",
            NOW_MS,
            drawn("raw", 32),
            Strength.ASSISTED,
            "natural",
            new_id("attested"),
            drawn("attested header", 32),
        )
    )
    signed = encode_signed_attestation(
        attested, [alone(ANSWERING, digests.pae(digests.TYPE_ATTESTATION, attested))]
    )
    return [
        _structure("a ping's header", message_pb2.Header, ping.header_bytes),
        _structure("a submission's header", message_pb2.Header, opened.header_bytes),
        _structure("a header with every field", message_pb2.Header, full.header_bytes),
        _structure("a body without files", message_pb2.Body, opened.body),
        _structure("a body with two files", message_pb2.Body, both.SerializeToString()),
        _structure("a batch head", message_pb2.BatchHead, of_two.batch.head_bytes),
        _structure("an envelope", message_pb2.Envelope, opened.raw),
        _structure("a receipt of taking in", receipt_pb2.Receipt, receipt(opened)),
        _structure("a receipt of refusal", receipt_pb2.Receipt, refused),
        _structure("a void", receipt_pb2.Receipt, receipt(opened, Outcome.VOID)),
        _structure("a signed receipt", receipt_pb2.SignedReceipt, signed_receipt(refused)),
        _structure("an act on an agreement", agreement_pb2.AgreementAct, act_bytes),
        _structure("a signed act", agreement_pb2.SignedAgreementAct, act),
        _structure("an attestation", message_pb2.Attestation, attested),
        _structure("a signed attestation", message_pb2.SignedAttestation, signed),
    ]


def _call_structures() -> list[Vector]:
    ping = message("structure ping").signed()
    ref = AttachmentRef(
        CaseKey(SENDER, CaseId(new_id("case structure"))),
        drawn("agreement", 32),
        drawn("file salt", 32),
        drawn("file", 32),
        300,
        "application/pdf",
    )
    query = ReceiptQuery(MessageId(new_id("asked")), drawn("asked", 32), burn=True)
    gap = NotTakenIn("delivery.chain_gap", "缺号", "a gap", True, 2_000, 3)
    answers: list[bytes | NotTakenIn] = [signed_receipt(receipt(ping)), gap]
    asked = exchange_pb2.CollectRequest(
        signed_receipts=[signed_receipt(receipt(ping))], envelopes_max=256, wait_ms_max=55_000
    )
    told = exchange_pb2.ReceiptAnswer(rule="receipt.invalid", text_zh="示例", text_en="sample")
    collected = exchange_pb2.CollectResponse(
        envelopes=[ping.raw], receipts=[exchange_pb2.ReceiptAnswer(), told], lease_ms=120_000
    )
    fetch = exchange_pb2.FetchAttachmentRequest(offset=262_144)
    fetch.attachment.ParseFromString(calls.encode_attachment_ref(ref))
    pb = exchange_pb2
    state = calls.encode_attachment_state(AttachmentState(300, True))
    return [
        _structure("Deliver asks", pb.DeliverRequest, calls.encode_deliver([ping.raw, ping.raw])),
        _structure("Deliver answers", pb.DeliverResponse, calls.encode_deliver_answer(answers)),
        _structure("QueryReceipts asks", pb.QueryReceiptsRequest, calls.encode_queries([query])),
        _structure(
            "QueryReceipts answers", pb.QueryReceiptsResponse, calls.encode_queries_answer(answers)
        ),
        _structure("Collect asks", pb.CollectRequest, asked.SerializeToString()),
        _structure("Collect answers", pb.CollectResponse, collected.SerializeToString()),
        _structure("AttachmentStatus asks", pb.AttachmentRef, calls.encode_attachment_ref(ref)),
        _structure("an upload opens", pb.AttachmentChunk, calls.encode_chunk(ref, 100)),
        _structure("an upload goes on", pb.AttachmentChunk, calls.encode_chunk(b"data", 100)),
        _structure("an upload is held", pb.AttachmentState, state),
        _structure("FetchAttachment asks", pb.FetchAttachmentRequest, fetch.SerializeToString()),
    ]


def signed_inputs() -> list[Vector]:
    """Return a PAE of each type, and of an empty and a long payload."""
    named = {n: v for n, v in vars(digests).items() if n.startswith("TYPE_")}
    found = [(str(kind, "ascii"), drawn(name, 40)) for name, kind in sorted(named.items())]
    header = str(digests.TYPE_HEADER, "ascii")
    found += [(header, b""), (header, "二进制与中文".encode()), (header, drawn("long", 1_000))]
    return [
        {"type": kind, "payload": raw.hex(), "pae": digests.pae(kind.encode(), raw).hex()}
        for kind, raw in found
    ]


def commitments() -> list[Vector]:
    """Return salted commitments, of an empty content too."""
    contents = (b"", b"{}", drawn("content", 300))
    salts = [drawn(f"commitment {at}", 32) for at in range(len(contents))]
    return [
        {
            "salt": salt.hex(),
            "content": content.hex(),
            "commitment": digests.commitment(salt, content).hex(),
        }
        for salt, content in zip(salts, contents, strict=True)
    ]


def trees() -> list[Vector]:
    """Return roots and every audit path of small trees; leaves are given before hashing."""
    found = []
    for size in (1, 2, 3, 5, 8):
        leaves = [drawn(f"leaf {size} {at}", 20) for at in range(size)]
        root, paths = tree([leaf_hash(leaf) for leaf in leaves])
        found.append(
            {
                "leaves": [leaf.hex() for leaf in leaves],
                "root": root.hex(),
                "paths": [[step.hex() for step in path] for path in paths],
            }
        )
    return found


def signatures() -> list[Vector]:
    """Return signatures over bytes as they are, and what must not verify."""
    said = digests.pae(digests.TYPE_HEADER, b"a header")
    der, raw = ES256.sign(said), EDDSA.sign(said)
    r, s = decode_dss_signature(der)
    both = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    mirrored = encode_dss_signature(r, _P256_ORDER - s)
    cases: list[tuple[str, str, bytes, bytes, bool]] = [
        ("ES256", "made by RFC 6979", said, der, True),
        ("ES256", "its twin (r, n-s): verifies as well", said, mirrored, True),
        ("ES256", "another message", said + b".", der, False),
        ("ES256", "r and s without DER", said, both, False),
        ("ES256", "a byte after the DER", said, der + b"\0", False),
        ("ES256", "a length that is not minimal", said, _long_der(der), False),
        ("ES256", "r is 0", said, encode_dss_signature(0, s), False),
        ("ES256", "empty", said, b"", False),
        ("ES256", "of the other suite", said, raw, False),
        ("EdDSA", "made by RFC 8032", said, raw, True),
        ("EdDSA", "another message", said + b".", raw, False),
        ("EdDSA", "a byte short", said, raw[:-1], False),
        ("EdDSA", "over SHA-256 of the message", said, EDDSA.sign(digests.digest(said)), False),
    ]
    ids = {"ES256": ES256.registered.key_id.hex(), "EdDSA": EDDSA.registered.key_id.hex()}
    return [
        {
            "name": name,
            "suite": suite,
            "key_id": ids[suite],
            "message": signed.hex(),
            "signature": made.hex(),
            "valid": valid,
        }
        for suite, name, signed, made, valid in cases
    ]


def _long_der(der: bytes) -> bytes:
    return der[:1] + b"\x81" + der[1:]


def statuses() -> list[Vector]:
    """Return `grpc-status-details-bin` for some rules."""
    codes = (FaultCode.TRUST_PEER_UNKNOWN, FaultCode.LIMIT_RATE, FaultCode.ATTACHMENT_OFFSET)
    found = []
    for code in codes:
        status = encode_fault(Fault(code, "示例 sample"))
        found.append(
            {"rule": code.value, "grpc_status": status.code, "details": status.details.hex()}
        )
    return found
