"""Every error of a configuration is named at once, with its key and what to do."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway.app.config import Config, Setting, load_config, render_config
from gateway.app.problems import ConfigProblem
from gateway.app.settings import SETTINGS, HostPort, parse_host_port

FILES = ("signing.pem", "transport.pem", "transport.key.pem", "authorities.pem", "jwks.json")


def settings(**changes: Setting) -> dict[str, Setting]:
    base: dict[str, Setting] = {
        "gateway_id": "620900",
        "name_zh": "酒泉市(示例)",
        "name_en": "Jiuquan (sample)",
        "unit": "11620900MB00000000",
        "keys.signing": ["keys/signing.pem"],
        "transport.certificate": "keys/transport.pem",
        "transport.key": "keys/transport.key.pem",
        "transport.authorities": "keys/authorities.pem",
        "exchange.listen": "0.0.0.0:7443",
        "portal.listen": "127.0.0.1:7080",
        "portal.jwks": "keys/jwks.json",
        "portal.issuer": "https://portal.example.cn",
    }
    return base | {key.replace("__", "."): value for key, value in changes.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    (tmp_path / "partners").mkdir()
    for name in FILES:
        (tmp_path / "keys" / name).touch()
    return tmp_path


def load(folder: Path, env: dict[str, str] | None = None, **changes: Setting) -> Config:
    path = folder / "kuayu.toml"
    path.write_text(render_config(**settings(**changes)), encoding="utf-8")
    return load_config(path, env or {})


def errors(folder: Path, env: dict[str, str] | None = None, **changes: Setting) -> list[str]:
    with pytest.raises(ConfigProblem) as problem:
        load(folder, env, **changes)
    assert problem.value.path == folder / "kuayu.toml"
    return list(problem.value.messages)


def errors_of(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "kuayu.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigProblem) as problem:
        load_config(path, {})
    return list(problem.value.messages)


# --- refused -------------------------------------------------------------------------------------
def test_an_empty_file_names_every_setting_that_is_missing(folder: Path) -> None:
    (folder / "partners").rmdir()
    messages = errors_of(folder, "")
    needed = [*settings(), "partners_dir"]
    assert sorted(message.partition(":")[0] for message in messages) == sorted(needed)
    assert all("is missing; set it to: " in m for m in messages if "partners_dir" not in m)


def test_errors_of_every_sort_are_told_together(folder: Path) -> None:
    messages = errors(
        folder,
        {"KUAYU_PORTAL__LISTN": "x", "KUAYU_DEMO": "perhaps"},
        gateway_id="62090",
        unit="11620900MB00000001",
        keys__signing=["keys/absent.pem"],
        exchange__listen="7443",
        portal__listen="0.0.0.0:7080",
        portal__algorithms=["ES256", "HS256"],
        log__level="LOUD",
    )
    assert [message.partition(":")[0] for message in messages] == [
        "KUAYU_PORTAL__LISTN",
        "gateway_id",
        "unit",
        "demo",
        "keys.signing",
        "exchange.listen",
        "portal.algorithms",
        "log.level",
        "portal.listen",
    ]
    assert all("; " in message for message in messages), "each says what to do"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "none", "None", "", "es256"])
def test_a_token_algorithm_that_is_not_asymmetric_is_refused(folder: Path, algorithm: str) -> None:
    [message] = errors(folder, portal__algorithms=["ES256", algorithm])
    assert message.startswith("portal.algorithms: ")
    assert "asymmetric" in message


def test_one_wrong_item_of_a_list_is_one_error(folder: Path) -> None:
    assert len(errors(folder, portal__algorithms=["HS256"])) == 1


def test_no_token_algorithm_at_all_is_refused(folder: Path) -> None:
    assert errors(folder, portal__algorithms=[])[0].startswith("portal.algorithms: ")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "[::]", "gw.example.cn"])
def test_a_plaintext_portal_beyond_loopback_is_refused(folder: Path, host: str) -> None:
    [message] = errors(folder, portal__listen=f"{host}:7080")
    assert message.startswith("portal.listen: would send tokens and forms unencrypted")
    assert "set portal.certificate and portal.key" in message


@pytest.mark.parametrize(("given", "missing"), [("certificate", "key"), ("key", "certificate")])
def test_half_of_a_portals_tls_is_refused(folder: Path, given: str, missing: str) -> None:
    changes: dict[str, Setting] = {f"portal__{given}": "keys/transport.pem"}
    [message] = errors(folder, None, **changes, portal__listen="0.0.0.0:7080")
    assert message.startswith(f"portal.{missing}: is missing")


@pytest.mark.parametrize("key", ["exchange.listen", "portal.listen"])
def test_demo_mode_listens_on_loopback_only(folder: Path, key: str) -> None:
    both: dict[str, Setting] = {
        "exchange.listen": "127.0.0.1:7443",
        "portal.listen": "127.0.0.1:7080",
        "portal.certificate": "keys/transport.pem",
        "portal.key": "keys/transport.key.pem",
    }
    assert load(folder, None, demo=True, **both).demo
    [message] = errors(folder, None, demo=True, **(both | {key: "0.0.0.0:7443"}))
    assert message.startswith(f"{key}: reaches beyond this machine in demo mode")


def test_demo_mode_from_the_environment_counts_too(folder: Path) -> None:
    [message] = errors(folder, {"KUAYU_DEMO": "true"})
    assert message.startswith("exchange.listen: reaches beyond")


@pytest.mark.parametrize("missing", FILES)
def test_a_file_that_is_not_there_is_named(folder: Path, missing: str) -> None:
    (folder / "keys" / missing).unlink()
    [message] = errors(folder)
    assert str(folder / "keys" / missing) in message


def test_files_need_not_be_there_if_asked_so(folder: Path) -> None:
    (folder / "kuayu.toml").write_text(render_config(**settings()), encoding="utf-8")
    (folder / "keys" / "jwks.json").unlink()
    (folder / "partners").rmdir()
    config = load_config(folder / "kuayu.toml", {}, files_must_exist=False)
    assert config.portal.jwks == folder / "keys" / "jwks.json"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("gateway_id = 620900", "gateway_id"),
        ('gateway_id = "020900"', "gateway_id"),
        ('gateway_id = "620900\\n"', "gateway_id"),
        ('unit = "11620900mb00000000"', "unit"),
        ('unit = "11620900MB00000001"', "unit"),
        ('name_zh = ""', "name_zh"),
        ("state_dir = 3", "state_dir"),
        ('state_dir = ""', "state_dir"),
        ('demo = "perhaps"', "demo"),
        ('exchange = "0.0.0.0:7443"', "exchange"),
        ("[[portal]]", "portal"),
        ("[keys]\nsigning = []", "keys.signing"),
        ('[keys]\nsigning = "keys/signing.pem"', "keys.signing"),
        ('[log]\nformat = "xml"', "log.format"),
        ('[log]\nlevel = "info"', "log.level"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(folder: Path, line: str, key: str) -> None:
    messages = errors_of(folder, line + "\n")
    [message] = [m for m in messages if m.startswith(f"{key}: ")]
    assert "is missing" not in message
    assert "; " in message


def test_a_setting_that_is_none_is_refused_with_the_likely_one(folder: Path) -> None:
    messages = errors_of(folder, 'gatewayid = "620900"\n[portal]\nlistn = "127.0.0.1:1"\n')
    assert "gatewayid: is not a setting; perhaps gateway_id is meant" in messages
    assert "portal.listn: is not a setting; perhaps portal.listen is meant" in messages


@pytest.mark.parametrize("text", [b"gateway_id = ", b"\xff\xfe", b"a = 1\na = 2\n", b"<config/>"])
def test_what_is_not_toml_is_refused(folder: Path, text: bytes) -> None:
    [message] = errors_of(folder, text)
    assert message.startswith("is not TOML: ")


def test_a_file_that_is_not_there_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as problem:
        load_config(tmp_path / "kuayu.toml", {})
    assert problem.value.messages == (
        "cannot be read (No such file or directory); "
        "name another with --config; `kuayu init` makes one",
    )


@pytest.mark.parametrize(
    "text",
    ["", "7443", ":7443", "host:", "host:65536", "host:-1", "host:7x", "a b:1", "::1:7443",
     "[::1]", "[1.2.3.4]:1", "[::1:7", "host:٣", "-host:1", "http://host:1"],
)  # fmt: skip
def test_what_is_no_address_to_listen_on_is_refused(folder: Path, text: str) -> None:
    assert parse_host_port(text) is None
    [message] = errors(folder, exchange__listen=text)
    assert message.startswith("exchange.listen: is not host:port")


# --- taken ---------------------------------------------------------------------------------------
def test_defaults_are_filled_in_and_paths_start_at_the_files_folder(folder: Path) -> None:
    config = load(folder)
    assert config.state_dir == folder / "state"
    assert config.partners_dir == folder / "partners"
    assert config.journal.path == folder / "state" / "journal.sqlite3"
    assert config.vault.path == folder / "state" / "vault"
    assert config.keys.signing == (folder / "keys" / "signing.pem",)
    assert config.portal.audience == "urn:kuayu:gateway:620900"
    assert config.portal.algorithms == ("ES256", "EdDSA")
    assert (config.portal.certificate, config.portal.key) == (None, None)
    assert (config.log.level, config.log.format) == ("INFO", "auto")
    assert (config.demo, config.uvloop) == (False, True)
    assert config.exchange.listen == "0.0.0.0:7443"
    assert config.portal.address == HostPort("127.0.0.1", 7080)
    assert (config.portal.host, config.portal.port) == ("127.0.0.1", 7080)


def test_paths_do_not_hang_on_where_the_process_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder)
    monkeypatch.chdir(folder.parent)
    config = load_config(Path(folder.name) / "kuayu.toml", {})
    assert config.state_dir == folder / "state"
    assert config.transport.key == folder / "keys" / "transport.key.pem"


def test_an_absolute_path_is_kept_and_dots_are_resolved(folder: Path) -> None:
    config = load(folder, state_dir="/var/lib/kuayu", vault__path="../attachments")
    assert config.journal.path == Path("/var/lib/kuayu/journal.sqlite3")
    assert config.vault.path == folder.parent / "attachments"


def test_the_environment_wins_over_the_file(folder: Path) -> None:
    (folder / "keys" / "second.pem").touch()
    config = load(
        folder,
        {
            "KUAYU_EXCHANGE__LISTEN": "[::1]:0",
            "KUAYU_KEYS__SIGNING": "keys/second.pem, keys/signing.pem",
            "KUAYU_PORTAL__ALGORITHMS": "EdDSA",
            "KUAYU_STATE_DIR": "elsewhere",
            "KUAYU_UVLOOP": "false",
            "KUAYU_LOG__LEVEL": "DEBUG",
            "KUAYU_CONFIG": "read by the command line",
            "PATH": "/usr/bin",
        },
    )
    assert config.exchange.address == HostPort("::1", 0)
    assert [path.name for path in config.keys.signing] == ["second.pem", "signing.pem"]
    assert config.portal.algorithms == ("EdDSA",)
    assert config.journal.path == folder / "elsewhere" / "journal.sqlite3"
    assert not config.uvloop
    assert config.log.level == "DEBUG"


def test_the_environment_alone_is_enough(folder: Path) -> None:
    path = folder / "kuayu.toml"
    path.touch()
    env = {
        "KUAYU_" + key.upper().replace(".", "__"): value
        if isinstance(value, str)
        else "".join(value)
        for key, value in settings().items()
        if not isinstance(value, bool)
    }
    assert load_config(path, env) == load(folder)


def test_a_portal_beyond_loopback_with_certificate_and_key_is_taken(folder: Path) -> None:
    config = load(
        folder,
        portal__listen="0.0.0.0:7080",
        portal__certificate="keys/transport.pem",
        portal__key="keys/transport.key.pem",
    )
    assert config.portal.key == folder / "keys" / "transport.key.pem"


@pytest.mark.parametrize(
    ("text", "loopback"),
    [("127.0.0.1:0", True), ("127.9.9.9:1", True), ("[::1]:65535", True), ("localhost:7080", True),
     ("0.0.0.0:1", False), ("[::]:1", False), ("localhost.example.cn:1", False),
     ("127.0.0.1.example.cn:1", False)],
)  # fmt: skip
def test_loopback_is_told_from_the_rest(text: str, loopback: bool) -> None:
    address = parse_host_port(text)
    assert address is not None
    assert address.is_loopback == loopback


# --- written -------------------------------------------------------------------------------------
def test_a_written_file_names_every_setting_with_a_comment() -> None:
    lines = render_config(**settings()).splitlines()
    for key, field in SETTINGS.items():
        leaf = key.rpartition(".")[2]
        at = lines.index(f"# {field.description}")
        assert lines[at + 1].removeprefix("# ").startswith(f"{leaf} = ")


def test_commented_defaults_are_what_they_say(folder: Path) -> None:
    text = render_config(**settings())
    plain = load(folder)
    bare = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    shown = "\n".join(line for line in bare if '= ""' not in line and "urn:kuayu" not in line)
    path = folder / "kuayu.toml"
    path.write_text(shown, encoding="utf-8")
    assert load_config(path, {}) == plain


@pytest.mark.parametrize("text", ['a"b\\c', "日本\n\t\x7f\x00\x1f", "㛃𬭊", "#"])
def test_any_text_survives_being_written(text: str) -> None:
    assert tomllib.loads(render_config(**settings(name_zh=text)))["name_zh"] == text


def test_writing_an_unknown_or_without_a_needed_setting_is_an_error() -> None:
    with pytest.raises(ValueError, match="not settings: colour"):
        render_config(**settings(), colour="red")
    short = settings()
    del short["portal.issuer"]
    with pytest.raises(ValueError, match=r"portal\.issuer is needed"):
        render_config(**short)
