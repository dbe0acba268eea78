"""The schedules that protocols declare: what each says of its server's steps."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from told import sentences

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.protocols import LearningProtocol, Schedule

TINY = str(Path(__file__).with_name("tiny.yaml"))
FAMILY = "slfac_sim.protocols"


@pytest.mark.parametrize("kind", kinds(FAMILY))
def test_every_protocol_declares_its_schedule(kind: str) -> None:
    assert isinstance(find(FAMILY, kind)().schedule, Schedule)


@pytest.mark.parametrize(
    ("schedule", "smallest"),
    [
        (Schedule(steps=1), 7),
        (Schedule(steps=1, at_once=3), 1),
        (Schedule(steps=1, at_once=4), 3),
        (Schedule(steps=1, at_once=9), 7),
        (Schedule(steps=1, server_step="in turn"), 1),
    ],
)
def test_the_smallest_cohort_is_that_of_the_last_group(schedule: Schedule, smallest: int) -> None:
    assert schedule.smallest_cohort(7) == smallest


FOREIGN = """
from slfac_sim.foundation.plugins import settings
{imports}

@settings
class Theirs{base}:
    rounds: int = 1

    def run(self, participants): return iter(())

    def device_steps(self, participants): return 1
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Another test's module of the same name is another one."""
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "their_schedules"]:
        del sys.modules[name]


def write(folder: Path, name: str, imports: str, base: str) -> None:
    (folder / "their_schedules").mkdir()
    (folder / "their_schedules" / f"{name}.py").write_text(FOREIGN.format(imports=imports, base=base))


def test_a_protocol_that_does_not_inherit_the_contract_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "unsworn", "", "")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["check", TINY, "protocol={kind: their_schedules.unsworn}"]) == 2
    (line,) = sentences(capsys.readouterr().err)
    assert "their_schedules.unsworn.Theirs does not inherit from slfac_sim.protocols.LearningProtocol" in line


def test_what_a_protocol_does_not_say_of_itself_it_inherits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "sworn", "from slfac_sim.protocols import LearningProtocol", "(LearningProtocol)")
    monkeypatch.syspath_prepend(tmp_path)
    theirs = find(FAMILY, "their_schedules.sworn")()
    assert isinstance(theirs, LearningProtocol)
    assert (theirs.schedule, theirs.timing_steers_learning, theirs.layout) == (None, None, "split")
