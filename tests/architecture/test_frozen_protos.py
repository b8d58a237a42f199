"""A partner's client, written years ago, still understands what the protos say today."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from tools.freeze_protos import additions, breaks, files_now, read_frozen, shape_of

Files = dict[str, FileDescriptorProto]
Change = Callable[[Files], object]


def files() -> Files:
    return {file.name.rpartition("/")[2]: copy.deepcopy(file) for file in files_now()}


def message(made: Files, file: str, name: str) -> DescriptorProto:
    return next(m for m in made[file].message_type if m.name == name)


def header(made: Files) -> DescriptorProto:
    return message(made, "message.proto", "Header")


def remove_last_field(made: Files) -> None:
    del header(made).field[-1]


def renumber(made: Files) -> None:
    header(made).field[3].number = 29


def swap_two_numbers(made: Files) -> None:
    first, second = header(made).field[2:4]
    first.number, second.number = second.number, first.number


def rename(made: Files) -> None:
    header(made).field[2].name = "origin"


def retype(made: Files) -> None:
    header(made).field[4].type = header(made).field[4].TYPE_SINT64


def retype_to_another_enum(made: Files) -> None:
    header(made).field[12].type_name = ".kuayu.v1.Mode"


def repeat(made: Files) -> None:
    header(made).field[2].label = header(made).field[2].LABEL_REPEATED


def single(made: Files) -> None:
    body = message(made, "message.proto", "Body")
    body.field[1].label = body.field[1].LABEL_OPTIONAL


def leave_the_oneof(made: Files) -> None:
    message(made, "exchange.proto", "Delivery").field[0].ClearField("oneof_index")


def unpack(made: Files) -> None:
    message(made, "message.proto", "Header").field[8].options.packed = False


def remove_message(made: Files) -> None:
    del made["receipt.proto"].message_type[-1]


def rename_message(made: Files) -> None:
    message(made, "receipt.proto", "NotTakenIn").name = "Refusal"


def remove_enum_value(made: Files) -> None:
    del made["message.proto"].enum_type[1].value[-1]


def rename_enum_value(made: Files) -> None:
    made["message.proto"].enum_type[1].value[1].name = "KIND_SENT"


def renumber_enum_value(made: Files) -> None:
    made["message.proto"].enum_type[1].value[-1].number = 99


def remove_method(made: Files) -> None:
    del made["exchange.proto"].service[0].method[0]


def stream_the_request(made: Files) -> None:
    made["exchange.proto"].service[0].method[0].client_streaming = True


def stream_the_answer(made: Files) -> None:
    made["exchange.proto"].service[0].method[0].server_streaming = True


def answer_otherwise(made: Files) -> None:
    made["exchange.proto"].service[0].method[0].output_type = ".kuayu.v1.CollectResponse"


def ask_otherwise(made: Files) -> None:
    made["exchange.proto"].service[0].method[0].input_type = ".kuayu.v1.CollectRequest"


def rename_service(made: Files) -> None:
    made["exchange.proto"].service[0].name = "Interchange"


def move_to_another_package(made: Files) -> None:
    made["agreement.proto"].package = "kuayu.agreements"


def add_to_what_is_signed(made: Files) -> None:
    header(made).field.add(name="more", number=99, type=12, label=1)


def add_to_what_is_read_strictly(made: Files) -> None:
    message(made, "message.proto", "Signature").field.add(name="more", number=99, type=12, label=1)


BREAKS: tuple[Change, ...] = (
    remove_last_field,
    renumber,
    swap_two_numbers,
    rename,
    retype,
    retype_to_another_enum,
    repeat,
    single,
    leave_the_oneof,
    unpack,
    remove_message,
    rename_message,
    remove_enum_value,
    rename_enum_value,
    renumber_enum_value,
    remove_method,
    stream_the_request,
    stream_the_answer,
    answer_otherwise,
    ask_otherwise,
    rename_service,
    move_to_another_package,
    add_to_what_is_signed,
    add_to_what_is_read_strictly,
)


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_a_breaking_change_is_told(change: Change) -> None:
    made = files()
    change(made)
    assert breaks(shape_of(files_now()), shape_of(made.values()))


def add_field(made: Files) -> None:
    refusal = message(made, "receipt.proto", "NotTakenIn")
    refusal.field.add(name="more", number=99, type=12, label=1)


def add_enum_value(made: Files) -> None:
    made["message.proto"].enum_type[1].value.add(name="KIND_MORE", number=99)


def add_message(made: Files) -> None:
    made["message.proto"].message_type.add(name="More")


def add_method(made: Files) -> None:
    made["exchange.proto"].service[0].method.add(
        name="More", input_type=".kuayu.v1.Header", output_type=".kuayu.v1.Header"
    )


@pytest.mark.parametrize(
    "change",
    [add_field, add_enum_value, add_message, add_method],
    ids=lambda change: change.__name__,
)
def test_an_addition_breaks_nothing_and_waits_to_be_frozen(change: Change) -> None:
    made = files()
    change(made)
    now, before = shape_of(made.values()), shape_of(files_now())
    assert breaks(before, now) == []
    assert len(additions(before, now)) == 1


def test_the_protos_are_those_that_were_frozen() -> None:
    now = shape_of(files_now())
    assert breaks(read_frozen(), now) == []
    assert additions(read_frozen(), now) == []
