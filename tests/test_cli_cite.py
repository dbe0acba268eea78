"""`cite`: the references of the parts in use, as text and as BibTeX."""

import re
from pathlib import Path

import pytest
from worlds import scenario

from slfac_sim import __version__
from slfac_sim.cli import main
from slfac_sim.foundation.citing import library, reference
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.files import dump
from slfac_sim.scenario.references import references_of

WITHIN = ("journal", "booktitle", "institution", "howpublished")
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
    entry = "@misc{heat,\n  title = {{Heat}},\n  howpublished = {Somewhere},\n  year = {2000},\n}"
    monkeypatch.setattr(find("slfac_sim.hosts.slowdowns", "thermal"), "references", (entry,))
    found = references_of(scenario("devices.slowdowns=[jitter, thermal]"))
    assert ("devices.slowdowns.1", reference(entry)) in found
    assert "heat" not in keys("devices.slowdowns=[jitter]")


def test_every_reference_is_there_and_well_formed() -> None:
    """Every entry of the file is named by a plug-in or by the software, and every name has its entry."""
    plugins = [
        find(f"slfac_sim.{family}", kind) for family in FAMILIES for kind in kinds(f"slfac_sim.{family}")
    ]
    named = {reference(name).key for plugin in plugins for name in plugin.references}
    named |= {cited.key for _, cited in references_of()}
    assert named <= set(library())
    for key, cited in library().items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", key)
        assert re.fullmatch(r"10\.\d{4,5}/\S+", cited.fields.get("doi", "10.1000/1"))
        assert re.fullmatch(r"\d{4}\.\d{4,5}", cited.fields.get("eprint", "2000.00000"))
        assert cited.fields.keys() & {"doi", "eprint", "url", *WITHIN}
        assert "{" not in cited.text()
        assert cited.bibtex.count("{") == cited.bibtex.count("}")
    assert library()["slfac_sim"].fields["howpublished"] == f"version {__version__}"


def test_an_unknown_key_and_an_unreadable_entry_are_refused() -> None:
    with pytest.raises(BadInput, match=r"no 'he2016dep' in references\.bib; did you mean 'he2016deep'"):
        reference("he2016dep")
    with pytest.raises(BadInput, match="not one BibTeX entry with a field a line"):
        reference("@misc{heat, title = {Heat}}")


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
    entry = (
        "@misc{x,\n  author = {{The A\\_B, C group} and others},\n"
        "  title = {{T \\& U}},\n  pages = {1--2},\n}"
    )
    assert reference(entry).text() == "The A_B, C group et al. T & U. 1-2"
    assert reference(entry).bibtex == entry


def test_what_a_figure_of_several_runs_or_of_a_study_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("raw", "slfac"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scenario.yaml").write_text(dump(scenario(f"codec={name}")), encoding="utf-8")
    assert main(["cite", str(tmp_path / "raw"), str(tmp_path / "slfac")]) == 0
    of_runs = capsys.readouterr().out
    assert "SL-FAC" in of_runs
    assert len(set(of_runs.splitlines())) == len(of_runs.splitlines())
    assert "Accessible Color Sequences" in of_runs
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.yaml").write_text(
        "name: s\nbase: ../raw/scenario.yaml\naxes: {codec: [raw, slfac]}\n", encoding="utf-8"
    )
    assert main(["cite", str(tmp_path / "study")]) == 0
    assert capsys.readouterr().out == of_runs
