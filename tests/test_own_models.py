"""A model of one's own that does not fit is refused in one sentence, before anything is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from told import sentences
from torch import nn

import slfac_sim as sf
from slfac_sim.cli import main
from slfac_sim.foundation.plugins import family_of, settings

TINY = Path(__file__).parent / "tiny.yaml"
OWN = """
from torch import nn
from slfac_sim.foundation.plugins import settings

@settings
class Own:
    def blocks(self, channels, classes):
        front = nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU())
        middle = nn.Sequential(nn.Conv2d(4, 2, 3, stride=2, padding=1), nn.ReLU())
        {blocks}
"""
NAMED = "return [('front', front), ('middle', middle), ('back', {back})]"
FLAT = "nn.Sequential(nn.Flatten(), nn.Linear({inputs}, {outputs}))"
PAIRS = r"expected a list of \(name, nn.Module\) pairs"
FAULTY = {
    "misfit": (
        NAMED.format(back=FLAT.format(inputs=100, outputs="classes")),
        r"block 'back' cannot take the output of 'middle', \[2, 2, 6, 6\] for 2 samples: "
        r"mat1 and mat2 shapes cannot be multiplied \(2x72 and 100x4\)",
    ),
    "images": (
        "return [('front', nn.Conv2d(3, 4, 3)), ('middle', middle), ('back', middle)]",
        r"block 'front' cannot take the images, \[2, 1, 12, 12\] for 2 samples: Given groups=1.* got 1 ",
    ),
    "few": (
        NAMED.format(back=FLAT.format(inputs=72, outputs="classes - 1")),
        r"the output of 'back', the last block, is \[2, 3\] for 2 samples; expected \[2, 4\].* the 4 classes",
    ),
    "maps": (
        NAMED.format(back="nn.Conv2d(2, classes, 1)"),
        r"is \[2, 4, 6, 6\] for 2 samples; expected \[2, 4\]",
    ),
    "twice": (
        NAMED.format(back=FLAT.format(inputs=72, outputs="classes")).replace("'middle'", "'front'"),
        r"two blocks are named 'front' of front, front, back",
    ),
    "tuples": (
        NAMED.format(back="nn.AdaptiveMaxPool2d(1, return_indices=True)"),
        "block 'back' gives a tuple; expected one tensor",
    ),
    "whole": ("return nn.Sequential(front, middle)", rf"blocks\(\) gave a Sequential; {PAIRS}"),
    "bare": ("return [front, middle]", rf"blocks\(\) gave a list with a Sequential in it; {PAIRS}"),
    "empty": ("return []", rf"blocks\(\) gave an empty list; {PAIRS}"),
}


@pytest.fixture(scope="module", autouse=True)
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "misfits").mkdir()
    for name, (blocks, _) in FAULTY.items():
        (folder / "misfits" / f"{name}.py").write_text(OWN.format(blocks=blocks))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore:.*the kind changes")
@pytest.mark.parametrize("protocol", ["parallel", "u_shaped", "fedavg"])
@pytest.mark.parametrize("name", FAULTY)
def test_a_model_that_does_not_fit_is_refused_before_anything_is_written(
    place: Path, name: str, protocol: str
) -> None:
    given = {"model": f"misfits.{name}", "cut": "front", "protocol.kind": protocol}
    for call in (sf.check, sf.run):
        with pytest.raises(sf.BadInput, match=f"^model: .*{FAULTY[name][1]}") as caught:
            call(TINY, given)
        assert "\n" not in str(caught.value)
    assert not (place / "runs").exists()


def test_the_command_says_it_in_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("check", "run"):
        assert main([verb, str(TINY), "model=misfits.few", "cut=auto"]) == 2
        lines = sentences(capsys.readouterr().err)
        assert lines[-1].startswith("model: the output of 'back', the last block, is [2, 3]")
        assert not any("Traceback" in line for line in lines)
    assert not (place / "runs").exists()


@settings
class Fitting:
    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        return [("only", nn.Linear(channels, classes))]


class Undecorated:
    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        return Fitting().blocks(channels, classes)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (nn.Sequential(nn.Flatten()), "Sequential"),
        (Undecorated, "the class Undecorated"),
        (Undecorated(), "Undecorated"),
    ],
)
def test_what_is_no_plug_in_is_told_what_a_model_is(given: Any, found: str) -> None:
    expected = f"^model: found {found}; expected a plug-in: a class with @settings and "
    with pytest.raises(sf.BadInput, match=expected + r"blocks\(channels, classes\)$"):
        sf.load(TINY, {"model": given})
    with pytest.raises(sf.BadInput, match=expected):
        sf.load({"base": str(TINY), "model": given})
    with pytest.raises(sf.BadInput, match=expected):
        sf.sweep(TINY, axes={"model": [given]})


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("codec", "slfac_sim.codecs"),
        ("codec.uplink", "slfac_sim.codecs"),
        ("data", "slfac_sim.learning.datasets"),
        ("learning.optimiser", "slfac_sim.learning.optimisers"),
        ("devices.speed", "slfac_sim.hosts.speeds"),
        ("network.fading", "slfac_sim.network.radio.fading"),
    ],
)
def test_every_family_says_what_its_plug_ins_are(path: str, family: str) -> None:
    with pytest.raises(sf.BadInput) as caught:
        sf.load(TINY, {path: object()})
    contract = family_of(family).contract
    said = str(caught.value)
    assert said.startswith(f"{path}: found object; expected a plug-in: a class with @settings ")
    asked = [name for name in vars(contract) if name in said and not name.startswith("_")]
    assert asked or said.endswith(f"that inherits from {contract.__module__}.{contract.__name__}")
