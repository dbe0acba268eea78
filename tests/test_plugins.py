"""One file, one plug-in: look-up, nearest names, strict nodes, and one value for every field."""

import dataclasses
import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.fields import EveryField
from slfac_sim.foundation.plugins import Plugin, adapter, family_of, find, kind_of, kinds, settings
from slfac_sim.network.radio.pathloss import PathLoss

ONE = """
from slfac_sim.foundation.plugins import settings

@settings
class {name}:
    'A plug-in.'
    size: int = 1
"""
FAMILY = """
from typing import Protocol
from slfac_sim.foundation.plugins import Family

class Sized(Protocol):
    @property
    def size(self) -> int: ...

FAMILY = Family(Sized)
"""


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name = f"family_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(FAMILY)
    (folder / "alpha.py").write_text(ONE.format(name="Alpha"))
    (folder / "beta.py").write_text(ONE.format(name="Beta") + "class _Hidden:\n    pass\n")
    (folder / "twice.py").write_text(ONE.format(name="One") + ONE.format(name="Two"))
    (folder / "nothing.py").write_text("")
    (folder / "_helper.py").write_text("raise RuntimeError('a helper is no plug-in')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_kinds_are_the_files_without_an_underscore(family: str) -> None:
    assert kinds(family) == ("alpha", "beta", "nothing", "twice")


def test_a_kind_is_the_one_public_dataclass_of_its_file(family: str) -> None:
    assert find(family, "alpha").__name__ == "Alpha"
    assert kind_of(find(family, "alpha")()) == f"{family}.alpha"
    assert kind_of(find("slfac_sim.hosts.speeds", "fixed")()) == "fixed"


@pytest.mark.parametrize(("kind", "found"), [("twice", "One, Two"), ("nothing", "none")])
def test_a_file_with_two_plug_ins_or_none_is_reported(family: str, kind: str, found: str) -> None:
    with pytest.raises(BadInput, match=rf"must define one public dataclass, its plug-in \(found: {found}\)"):
        find(family, kind)


def test_an_unknown_kind_names_the_known_and_the_nearest(family: str) -> None:
    known = "alpha, beta, nothing, twice"
    for kind, hint in (("alfa", "; did you mean 'alpha'?"), ("zzz", "")):
        with pytest.raises(BadInput) as caught:
            find(family, kind)
        assert str(caught.value) == f"no '{kind}' among {known}{hint}"


@pytest.mark.parametrize("kind", ["no.such", ".", "..", "a..b", ".relative", "os.\0"])
def test_a_dotted_name_that_leads_nowhere_is_bad_input(family: str, kind: str) -> None:
    with pytest.raises(BadInput, match="can be imported"):
        find(family, kind)


def test_a_dotted_name_takes_somebody_elses(family: str) -> None:
    assert find("slfac_sim.hosts.speeds", f"{family}.alpha") is find(family, "alpha")


def test_a_file_that_was_edited_since_it_was_imported_is_refused_until_it_is_imported_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook, which lives on while files are written."""
    file = tmp_path / "edited_pkg" / "one.py"
    file.parent.mkdir()
    (file.parent / "__init__.py").write_text("")
    file.write_text(ONE.format(name="One"))
    monkeypatch.syspath_prepend(tmp_path)
    assert find("slfac_sim.codecs", "edited_pkg.one")().size == 1
    file.write_text(ONE.format(name="One").replace("1", "1000"))
    with pytest.raises(
        BadInput, match=r"one\.py: has changed since it was imported; importlib\.reload\(one\)"
    ):
        find("slfac_sim.codecs", "edited_pkg.one")
    importlib.reload(sys.modules["edited_pkg.one"])
    assert find("slfac_sim.codecs", "edited_pkg.one")().size == 1000


def holder(family: str) -> Any:
    @settings
    class Holder:
        """Holds a plug-in."""

        part: Annotated[Any, Plugin(family)]

    return adapter(Holder)


def test_a_field_takes_a_node_a_bare_name_or_the_object(family: str) -> None:
    alpha = find(family, "alpha")
    assert holder(family).validate_json('{"part": {"kind": "alpha", "size": 2}}').part == alpha(size=2)
    assert holder(family).validate_json('{"part": "alpha"}').part == alpha()
    assert holder(family).validate_python({"part": alpha(size=3)}).part == alpha(size=3)


@pytest.mark.parametrize(
    ("part", "loc", "kind"),
    [
        ('"alfa"', ("part", "kind"), "kind"),
        ('{"kind": 3}', ("part", "kind"), "kind"),
        ("{}", ("part",), "plugin"),
        ("3", ("part",), "plugin"),
        ('{"kind": "alpha", "size": "2"}', ("part", "size"), "int_type"),
        ('{"kind": "alpha", "size": true}', ("part", "size"), "int_type"),
        ('{"kind": "alpha", "sise": 2}', ("part", "sise"), "unexpected_keyword_argument"),
    ],
)
def test_faults_keep_their_place_below_the_field(family: str, part: str, loc: tuple[str], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        holder(family).validate_json(f'{{"part": {part}}}')
    assert [(e["loc"], e["type"]) for e in caught.value.errors()] == [(loc, kind)]


def test_settings_are_frozen_and_by_keyword_only(family: str) -> None:
    alpha = find(family, "alpha")
    with pytest.raises(TypeError):
        alpha(2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        alpha().size = 3


@settings
class Pair:
    """Two numbers."""

    left: int
    right: int = 0


@settings
class Pairs:
    """Holds a pair."""

    pair: Annotated[Pair, EveryField()] = Pair(left=1, right=2)


@pytest.mark.parametrize(
    ("node", "pair"), [("{}", (1, 2)), ('{"pair": 3}', (3, 3)), ('{"pair": {"left": 3}}', (3, 0))]
)
def test_one_value_stands_for_every_field_of_a_pair(node: str, pair: tuple[int, int]) -> None:
    found = adapter(Pairs).validate_json(node, strict=True).pair
    assert (found.left, found.right) == pair


def test_a_default_plug_in_keeps_its_kind_when_one_setting_is_changed(family: str) -> None:
    @settings
    class Holder:
        """Holds a plug-in with a default."""

        part: Annotated[Any, Plugin(family, "beta")] = None

    assert adapter(Holder).validate_python({"part": {"size": 3}}).part.size == 3
    assert type(adapter(Holder).validate_python({"part": {"size": 3}}).part).__name__ == "Beta"
    assert type(adapter(Holder).validate_python({"part": "alpha"}).part).__name__ == "Alpha"


def test_a_method_of_another_form_than_inherited_is_refused() -> None:
    @settings
    class Odd(PathLoss):
        """A path loss whose shadowing does not take what it is given."""

        def shadowing_sigma_db(self, los: Any) -> Any:  # type: ignore[override]
            return los

    with pytest.raises(BadInput) as error:
        family_of("slfac_sim.network.radio.pathloss").refuse_others(Odd, "mine")
    form = "shadowing_sigma_db(distance_m, los, carrier_hz)"
    wanted = "slfac_sim.network.radio.pathloss.PathLoss"
    assert str(error.value) == f"mine.Odd.shadowing_sigma_db is not the {form} that {wanted} asks for"
