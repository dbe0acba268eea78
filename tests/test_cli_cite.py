"""`cite`: the references of the parts in use, as text and as BibTeX."""

import re
from pathlib import Path

import pytest
from worlds import scenario

from slfac_sim.cli import main
from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.runs.citations import references_of
from slfac_sim.scenario.files import dump

FAMILIES = (
    *("codecs", "hosts.speeds", "protocols"),
    *(f"learning.{name}" for name in ("datasets", "models", "optimisers", "partitions")),
    *("network.kinds", "network.radio.fading", "network.radio.pathloss", "network.radio.rates"),
)


def keys(*overrides: str) -> set[str]:
    return {reference.key for _, reference in references_of(scenario(*overrides))}


def test_references_follow_the_parts() -> None:
    assert {"slfac2026", "tr38901", "ts38214", "thapa2022splitfed", "simpy", "slfac_sim"} <= keys()
    assert "slfac2026" not in keys("codec=raw")
    assert "slfac2026" in keys("codec.uplink=raw")
    assert "tr38901" not in keys("network={kind: ideal, up_rate: 1 Mbit/s, down_rate: 1 Mbit/s}")
    assert {"he2016deep", "kingma2015adam"} <= keys("model=resnet18", "cut=stem", "learning.optimiser=adam")
    assert keys() >= {reference.key for _, reference in references_of()}


def test_references_of_a_list_of_plug_ins_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Reference(key="heat", entry="misc", title="Heat", year=2000, within="Somewhere")
    monkeypatch.setattr(find("slfac_sim.hosts.slowdowns", "thermal"), "references", (source,), raising=False)
    found = references_of(scenario("devices.slowdowns=[jitter, thermal]"))
    assert ("devices.slowdowns.1", source) in found
    assert "heat" not in keys("devices.slowdowns=[jitter]")


def everything() -> list[Reference]:
    plugins = [
        find(f"slfac_sim.{family}", kind) for family in FAMILIES for kind in kinds(f"slfac_sim.{family}")
    ]
    own = [reference for plugin in plugins for reference in getattr(plugin, "references", ())]
    return [*own, *(reference for _, reference in references_of())]


def test_every_reference_is_well_formed() -> None:
    found = {reference.key: reference for reference in everything()}
    assert len(found) >= 15
    for key, reference in found.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", key)
        assert not reference.doi or re.fullmatch(r"10\.\d{4,5}/\S+", reference.doi)
        assert not reference.arxiv or re.fullmatch(r"\d{4}\.\d{4,5}", reference.arxiv)
        assert reference.doi or reference.arxiv or reference.url or reference.within, key
        assert reference.title in reference.text()
        entry = reference.bibtex()
        assert entry.count("{") == entry.count("}")
        assert "_" not in entry.replace(r"\_", "").split("\n", 1)[1]


def test_text_and_bibtex_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", "quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("slfac_sim: ")
    assert any(line.startswith("data: Yann LeCun, Léon Bottou") for line in lines)
    assert main(["cite", "quick", "--bibtex"]) == 0
    assert capsys.readouterr().out.count("\n@") == len(lines) - 1
    (tmp_path / "scenario.yaml").write_text(dump(scenario("codec=raw")), encoding="utf-8")
    assert main(["cite", str(tmp_path)]) == 0
    assert "SL-FAC" not in capsys.readouterr().out
    assert main(["cite"]) == 0
    assert "SimPy" in capsys.readouterr().out


def test_a_group_keeps_its_name_whole() -> None:
    reference = Reference(
        key="x", entry="misc", title="T & U", authors=("The A_B group", "others"), pages="1-2"
    )
    assert "author = {{The A\\_B group} and others}" in reference.bibtex()
    assert "title = {{T \\& U}}" in reference.bibtex()
    assert reference.text() == "The A_B group et al. T & U. 1-2"
