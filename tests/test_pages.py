"""Where to read on: each setting has a page, errors and `check` name it, and `docs` shows it."""

import json
from pathlib import Path

import pytest
from setting_leaves import every_setting
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.cli.pages import anchor_of, chapters, find, title_of
from slfac_sim.scenario.explained import explain
from slfac_sim.scenario.pages import FAMILIES, SETTINGS, STUDIES, WHOLE, read_on, told_in

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCENARIO, STUDY = (
    json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("scenario", "study")
)
PAGES = {page for pages in chapters().values() for page in pages}


def test_every_family_has_a_page_and_every_page_is_there() -> None:
    assert FAMILIES.keys() == {name for name in SCENARIO["$defs"] if "." in name and _is_family(name)}
    assert {*FAMILIES.values(), *SETTINGS.values(), STUDIES, WHOLE} <= PAGES


def _is_family(name: str) -> bool:
    return "anyOf" in SCENARIO["$defs"][name] and not name.startswith("partial.")


def test_every_setting_is_told_by_a_page_and_by_schema() -> None:
    for number, leaf in enumerate(every_setting()):
        path = tuple(leaf.path.split("."))
        known, page = told_in(path, SCENARIO, STUDY)
        assert known == ".".join(step for step in path if step != "kind" and not step.isdecimal()), leaf
        assert page in PAGES
        if number % 10 == 0:
            assert explain(known, SCENARIO).path == known


@pytest.mark.parametrize("key", STUDY["properties"])
def test_what_only_studies_have_is_told_by_theirs(key: str) -> None:
    page = told_in((key,), SCENARIO, STUDY)[1]
    assert page == (STUDIES if key not in SCENARIO["else"]["properties"] | {"base": {}} else WHOLE)


def test_a_line_names_three_of_each_and_nothing_twice() -> None:
    paths = [("network", name) for name in ("radius", "radius", "fading", "medium", "rate")]
    assert read_on([*paths, (), ("codec", "uplink", "kind")], SCENARIO, STUDY, "sim") == (
        "read on: `sim schema network.radius` (also network.fading, network.medium),"
        " `sim docs network` (also codecs)"
    )
    assert read_on([()], SCENARIO, STUDY, "sim") == ""


ERRORS = {
    "network.latency=x": "schema network.latency`, `{} docs network`",
    "codec.uplink=teta": "schema codec.uplink`, `{} docs codecs`",
    "learning.batc=3": "schema learning`, `{} docs learning`",
    "protocol.participation.enough=x": "schema protocol.participation.enough`, `{} docs participation`",
    "devices.slowdowns=[{kind: jitter, sigma: x}]": "schema devices.slowdowns.sigma`, `{} docs compute`",
    "nothing=3": "docs scenarios`",
    "protocol=hierarchical": "schema servers`, `{} docs topology`",
}


@pytest.mark.parametrize("override", ERRORS)
def test_an_error_of_a_setting_ends_with_where_to_read(
    override: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(TINY), override]) == 2
    *_, before, last = capsys.readouterr().err.splitlines()
    program = "python -m slfac_sim"
    assert last == f"read on: `{program} {ERRORS[override].format(program)}"
    assert not before.startswith("read on")


def test_the_hint_of_an_example_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text("data: mnist\npartition: iid\nmodel: small_cnn\n")
    assert main(["check", str(tmp_path / "mine.yaml")]) == 2
    *_, hint, last = capsys.readouterr().err.splitlines()
    assert hint.startswith("nearest shipped example: ")
    assert last.startswith("read on: `python -m slfac_sim schema cut` (also learning, ")


def test_check_names_the_pages_of_what_it_has_read(capsys: pytest.CaptureFixture[str]) -> None:
    named = []
    for more in ([], ["devices.availability={kind: crash, mean_between: 1 h}"], ["--json"]):
        assert main(["check", str(TINY), *more]) == 0
        named.append(capsys.readouterr().out.splitlines()[-1].partition("docs PAGE`, of ")[2].split(", "))
    plain, crashing, in_json = named
    assert set(crashing) - set(plain) == {"participation"}
    assert set(plain) <= PAGES
    assert in_json == [""]


def test_check_of_a_study_names_the_page_of_studies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(f"base: {TINY}\naxes: {{network.bandwidth: [1 MHz]}}\nseeds: 1\n")
    assert main(["check", str(study)]) == 0
    assert "docs PAGE`, of studies, data, " in capsys.readouterr().out.splitlines()[-1]


def test_schema_names_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "network=wifi.radius"]) == 0
    assert capsys.readouterr().out.endswith("\n  Read on: `python -m slfac_sim docs network`.\n")
    assert main(["schema", "--study", "seeds"]) == 0
    assert capsys.readouterr().out.endswith("\n  Read on: `python -m slfac_sim docs studies`.\n")


def test_docs_lists_every_page_and_shows_each(capsys: pytest.CaptureFixture[str]) -> None:
    there = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.glob("*.md")}
    there |= {f"howto/{path.stem}" for path in DOCS.glob("howto/*.md")}
    assert there - {"index"} == PAGES
    assert main(["docs"]) == 0
    listed = capsys.readouterr().out
    for page in PAGES:
        assert f"\n  {page} " in listed
        assert title_of(page) in listed
        assert main(["docs", page]) == 0
        assert capsys.readouterr().out == (DOCS / f"{page}.md").read_text(encoding="utf-8")


def test_docs_shows_a_section_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "scenarios#a-base"]) == 0
    section = capsys.readouterr().out
    assert section.startswith("## A base\n")
    assert "\n## " not in section[1:]
    assert main(["docs", "scenarios#settings"]) == 0  # as it begins
    assert capsys.readouterr().out.startswith("## Settings on the command line\n")
    assert find("howto/own_network").count("\n#") > 5  # a comment in a block of code is no section


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("topologies", "no page 'topologies'; did you mean 'topology'?"),
        ("gilbert", "no page 'gilbert'; the word stands in change"),
        ("settings", "no page 'settings': `python -m slfac_sim schema` says it"),
        ("xyzzy", "no page 'xyzzy'; `python -m slfac_sim docs` lists all"),
        ("scenarios#a-bas3", "scenarios: no section 'a-bas3'; did you mean 'a-base'?"),
    ],
)
def test_a_page_that_is_not_there_is_told_the_nearest(
    page: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", page]) == 2
    assert capsys.readouterr().err == said + "\n"


def test_an_anchor_is_that_of_github() -> None:
    assert anchor_of("`summary.json`, and the rest: SL-FAC") == "summaryjson-and-the-rest-sl-fac"
