"""The next key, from its making to its rehearsal, over two gateways and their sockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from gateway.app.provision import Site
from tests.support.world import make_pair, run_nodes

from .console import answer, kuayu


async def asked(site: Site, *line: str) -> Any:
    return await asyncio.to_thread(answer, "keys", *line, "--config", site.config)


async def rehearsed(site: Site, key: str) -> tuple[int, str, str]:
    """Return the exit code, and what the only partner said."""
    line = ("keys", "rehearse", "--key", key, "--config", site.config, "--json")
    done = await asyncio.to_thread(kuayu, *line)
    (row,) = json.loads(done.stdout)["partners"]
    return done.returncode, row["light"], row["told"]


async def heard(site: Site, key_id: str) -> dict[str, Any]:
    """Return a key as `site` heard of it, once it did."""
    async with asyncio.timeout(30):
        while True:
            for found in (await asked(site, "announced"))["keys"]:
                if found["key"] == key_id:
                    return dict(found)


async def test_a_next_key_is_red_until_it_is_announced_and_then_waits_for_its_day(
    tmp_path: Path,
) -> None:
    jiuquan, jiayuguan = make_pair(tmp_path)
    made = await asked(jiuquan, "generate", "--begins", "30", "--name", "next")
    async with run_nodes((jiuquan, jiayuguan)):
        code, light, told = await rehearsed(jiuquan, made["key"])
        assert (code, light) == (1, "red")
        assert "does not know it" in told
        announced = await asked(jiuquan, "announce", made["certificate"])
        assert announced["told"] == ["620200"]
        found = await heard(jiayuguan, made["key_id"])
        assert (found["partner"], found["counts"], found["proof"]) == ("620900", True, "chain")
        code, light, told = await rehearsed(jiuquan, made["key"])
        assert (code, light) == (0, "green")
        assert "waits for its day" in told


async def test_a_key_of_another_authority_counts_for_nothing_until_two_have_heard_its_words(
    tmp_path: Path,
) -> None:
    jiuquan, jiayuguan = make_pair(tmp_path / "pair")
    stranger, _ = make_pair(tmp_path / "others")  # the same city's name, another authority
    made = await asked(stranger, "generate", "--begins", "30", "--name", "next")
    async with run_nodes((jiuquan, jiayuguan)):
        announced = await asked(jiuquan, "announce", made["certificate"])
        found = await heard(jiayuguan, made["key_id"])
        assert (found["counts"], found["proof"]) == (False, None)
        assert (await rehearsed(jiuquan, made["key"]))[1] == "red"
        for words, code in (("abandon " * 6, 1), (announced["phrase"], 75)):
            line = ("confirm", "620900", made["key_id"], "--phrase", words.strip())
            done = await asyncio.to_thread(kuayu, "keys", *line, "--config", jiayuguan.config)
            assert done.returncode == code, done.stderr
        assert not (await heard(jiayuguan, made["key_id"]))["counts"], "a second person is awaited"


def test_a_file_that_is_no_certificate_is_told_so(tmp_path: Path) -> None:
    jiuquan, _ = make_pair(tmp_path)
    file = tmp_path / "binary"
    file.write_bytes(bytes(range(256)))
    done = kuayu("keys", "announce", file, "--config", jiuquan.config)
    assert done.returncode == 65
    assert done.stderr == f"kuayu: {file}: is no certificate (PEM)\n"


def test_an_authority_that_was_taken_off_the_machine_certifies_where_it_is_kept(
    tmp_path: Path,
) -> None:
    jiuquan, _ = make_pair(tmp_path)
    kept = tmp_path / "safe" / "authority.key.pem"
    kept.parent.mkdir()
    (jiuquan.root / "keys" / kept.name).rename(kept)
    line = ("keys", "generate", "--name", "next", "--config", jiuquan.config)
    lost = kuayu(*line)
    assert lost.returncode == 78
    assert "--authority" in lost.stderr
    made = answer(*line, "--authority", kept)
    assert Path(made["certificate"]).is_file()
