"""docs/command_line.md: each verb with an example that can be typed; levels and codes that there are."""

import re
import shlex
from pathlib import Path

import pytest

import slfac_sim.cli
from slfac_sim.cli.commands import COMMANDS
from slfac_sim.cli.init import SHIPPED, STUDY
from slfac_sim.cli.parsing import arguments_of, parser_of
from slfac_sim.foundation.logs import LEVELS

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "command_line.md").read_text(encoding="utf-8")
VERBS = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `slfac-sim ([^`]+)` \|$", TEXT, re.MULTILINE))


def test_every_verb_is_there_in_the_order_of_the_help() -> None:
    assert list(VERBS) == list(COMMANDS)


@pytest.mark.parametrize("verb", VERBS)
def test_its_example_can_be_typed(verb: str) -> None:
    words = shlex.split(VERBS[verb])
    assert words[0] == verb
    assert arguments_of(parser_of(verb), words).command == verb


def test_levels_templates_and_codes() -> None:
    for level in LEVELS:
        assert f"| `{level}` | " in TEXT
    for template in (*SHIPPED, STUDY):
        assert f"`{template}`" in TEXT
    codes = re.findall(
        r"\b\d+\b", str(slfac_sim.cli.__doc__).partition("Exit status:")[2].partition("Nothing")[0]
    )
    for code in codes:
        assert re.search(rf"^\| (\d+, )?{code}(, \d+)? \| ", TEXT, re.MULTILINE), code
