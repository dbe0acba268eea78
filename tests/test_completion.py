"""Completion: what a shell asks and is answered, for every kind of word, and by the shells themselves."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from run_folders import fake_run

from slfac_sim.cli import main
from slfac_sim.cli.commands import COMMANDS
from slfac_sim.cli.completing import settings
from slfac_sim.foundation.plugins import kinds
from slfac_sim.scenario.files import load, shipped
from slfac_sim.scenario.files import plain as written_out

BREAKS = " \t\n\"'><=;|&(:"
SCENARIOS = {name.removesuffix(".yaml") for name in shipped()}
STUDIES = {name.removesuffix(".yaml") for name in shipped("studies")}
CODECS = set(kinds("slfac_sim.codecs"))
Ask = Callable[[str], set[str]]


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script `slfac-sim`, as an installation makes it."""
    script = tmp_path_factory.mktemp("bin") / "slfac-sim"
    code = "import sys\nfrom slfac_sim.cli import entry\nsys.exit(entry())\n"
    script.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script.parent


@pytest.fixture
def ask(bin_folder: Path, tmp_path: Path) -> Ask:
    """Ask as bash does, in an empty folder; what comes back begins behind the last ``=`` of the word."""

    def ask(line: str) -> set[str]:
        asked = {
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SHELL": "bash",
            "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
            "_ARGCOMPLETE_COMP_WORDBREAKS": BREAKS,
        }
        only_8 = 'exec "$0" 8>&1 9>/dev/null 1>/dev/null'
        command = ["/bin/sh", "-c", only_8, str(bin_folder / "slfac-sim")]
        environment = {**os.environ, **asked}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return set(done.stdout.split("\n")) - {""}

    return ask


def test_the_first_word_is_a_verb_or_a_scenario(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "more").mkdir()
    assert ask("slfac-sim ") == set(COMMANDS)
    assert ask("slfac-sim qui") == {"quick"}
    assert ask("slfac-sim c") == {verb for verb in COMMANDS if verb[0] == "c"} | {"campus", "churn"}
    assert ask("slfac-sim m") == {"multi_cell", "multi_cell_backhaul", "mine.yaml", "more/"}
    assert ask("slfac-sim --v") == {"--version"}


def test_verbs_take_scenarios_studies_and_files(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "own.yml").touch()
    (tmp_path / "sub" / "notes.txt").touch()
    assert ask("slfac-sim run ") == SCENARIOS | {"sub/"}
    assert ask("slfac-sim sweep ") == SCENARIOS | STUDIES | {"sub/"}
    assert ask("slfac-sim check pro") == {"protocols"}
    assert ask("slfac-sim check sub/") == {"sub/own.yml"}


def test_verbs_take_run_folders(ask: Ask, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for name in ("quick/1", "quick/2"):
        fake_run(runs / name).joinpath("run.log").touch()
    (runs / "quick" / "2" / "checkpoints").mkdir()
    (runs / "quick" / "2" / "checkpoints" / "begun.json").touch()
    (runs / "latest").symlink_to("quick/1", target_is_directory=True)
    finished = {"runs/latest", "runs/quick/1", "runs/quick/2"}
    for verb in (
        "replay",
        "explain",
        "verify",
        "trace",
        "compare",
        "export",
        "figure",
        "compare runs/latest",
    ):
        assert ask(f"slfac-sim {verb} ") == finished | {"runs/"}, verb
    assert ask("slfac-sim resume runs/quick/") == {"runs/quick/1/", "runs/quick/2/", "runs/quick/2"}
    assert ask("slfac-sim explain runs/l") == {"runs/latest", "runs/latest/"}
    assert ask("slfac-sim cite qu") == {"quick"}
    assert ask("slfac-sim list --columns simulated_s,accuracy.f") == {"simulated_s,accuracy.final"}
    assert "bytes.total" in ask("slfac-sim list --sort ")


def test_setting_paths(ask: Ask) -> None:
    assert ask("slfac-sim quick network.ba") == {"network.bandwidth="}
    assert ask("slfac-sim run quick network") == {"network=", "network."}
    assert ask("slfac-sim quick dev") == {"devices=", "devices."}
    assert ask("slfac-sim quick lea") == {*ask("slfac-sim quick learning.")}
    assert {"devices.count=", "devices.speed=", "devices.speed."} <= ask("slfac-sim quick devices.")
    assert ask("slfac-sim quick nowhere.") == set()
    assert "codec.theta=" in ask("slfac-sim quick codec.")
    assert "codec.uplink.theta=" in ask("slfac-sim quick codec.uplink.")
    links = {f"network.links.{name}." for name in ("port", "fibre", "uplink")}
    assert ask("slfac-sim campus network.links.") == links
    assert ask("slfac-sim campus network.links.port.cap") == {"network.links.port.capacity="}
    quad = "network.access.quad.network"
    assert ask(f"slfac-sim campus {quad}.bandw") == {f"{quad}.bandwidth="}


def test_settings_are_those_of_the_kind_at_hand(ask: Ask, tmp_path: Path) -> None:
    """Of the scenario's kind, of the default, or of that of an override typed so far, wherever it stands."""
    assert ask("slfac-sim quick protocol.m") == {"protocol.model_broadcast=", "protocol.max_items="}
    assert ask("slfac-sim quick protocol=fedprox protocol.mu") == {"protocol.mu="}
    assert ask("slfac-sim quick protocol.kind=fedprox --seed 3 protocol.mu") == {"protocol.mu="}
    assert ask("slfac-sim quick codec=raw codec.th") == set()
    assert ask("slfac-sim quick codec.downlink=topk codec.uplink.th") == {"codec.uplink.theta="}
    assert ask("slfac-sim quick network.med") == {"network.medium="}
    assert ask("slfac-sim quick network.medium.") == {"network.medium.kind="}
    (tmp_path / "mine.yaml").write_text("base: wifi_home\nprotocol: {kind: epsl}\n", encoding="utf-8")
    assert ask("slfac-sim mine.yaml network.ba") == ask("slfac-sim wifi_home network.ba")
    assert ask("slfac-sim mine.yaml protocol.ph") == {"protocol.phi="}


def test_values(ask: Ask) -> None:
    assert ask("slfac-sim quick codec=") == CODECS
    assert ask("slfac-sim quick codec.downlink=sl") == {"slfac", "slfac_rd", "sl_acc"}
    assert ask("slfac-sim quick network.kind=") == set(kinds("slfac_sim.network.kinds"))
    assert ask("slfac-sim quick evaluation.no_codec=") == {"last", "every"}
    assert ask("slfac-sim quick data.verify=") == {"true", "false"}
    assert ask("slfac-sim quick learning.batch=") == set()


def test_options_and_their_values(ask: Ask) -> None:
    assert {"--seed", "--draw", "--strict", "--debug"} <= ask("slfac-sim quick --")
    assert ask("slfac-sim run quick --draw ") == {"none", "main", "all"}
    assert ask("slfac-sim quick --draw=a") == {"all"}
    assert ask("slfac-sim run quick --seed ") == set()
    assert ask("slfac-sim sweep quick --axis network.ba") == {"network.bandwidth="}
    assert ask("slfac-sim sweep quick --axis codec=raw,sl") == {"raw,slfac", "raw,slfac_rd", "raw,sl_acc"}
    assert ask("slfac-sim ask quick 'x' --vary network.ba") == {"network.bandwidth"}
    assert ask("slfac-sim codec ") == {"encode", "decode", "inspect", "compare", "spectra"}
    assert ask("slfac-sim codec compare x.npy codec=sl") == {"slfac", "slfac_rd", "sl_acc"}
    assert ask("slfac-sim codec compare x.npy ") == {"codec=", "codec."}
    assert ask("slfac-sim codec compare x.npy codec=slfac codec.th") == {"codec.theta="}
    assert ask("slfac-sim schema network.rad") == {"network.radius"}
    assert ask("slfac-sim schema protocol.m") >= {"protocol.mu", "protocol.model_broadcast"}
    assert ask("slfac-sim data fetch ") == {"mnist", "fashion_mnist"}
    assert ask("slfac-sim completion ") == {"bash", "zsh", "fish"}


BROKEN = {
    "not YAML": b"network: {kind: [\n",
    "not text": b"\xff\xfe\x00network",
    "a list": b"- network\n",
    "another type": b"network: 3\ncodec: [1]\nprotocol: {kind: {}}\n",
    "unknown kinds": b"network: {kind: nonsense}\nprotocol: their.plugin\n",
    "on itself": b"base: broken.yaml\n",
    "very deep": b"[" * 3000,
    "empty": b"",
}


@pytest.mark.matrix
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_scenario_is_passed_over_in_silence(content: bytes, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_bytes(content)
    assert "network=" in ask("slfac-sim broken.yaml net")
    assert ask("slfac-sim broken.yaml devices.cou") == {"devices.count="}
    for word in ("network.", "codec.", "protocol.", "protocol.kind=", "codec=x codec."):
        ask(f"slfac-sim check broken.yaml {word}")


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_setting_of_a_scenario_is_offered(name: str) -> None:
    """Each that the scenario has when it is written out in full."""
    tree = written_out(load(name))

    def check(node: object, path: str) -> None:
        for key, value in node.items() if isinstance(node, dict) else ():
            if not settings.paths(f"{path}{key}", tree):
                assert path.endswith(("names.", "cut.")), f"{path}{key}"  # keys that are the user's own
            check(value, f"{path}{key}.")

    check(tree, "")


def test_neither_torch_nor_pydantic_is_loaded(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from slfac_sim.cli import completing\n"
        "completing.Finder.__call__ = lambda *_, **__: print(*sys.modules)\n"
        "os.environ.update(COMP_LINE='slfac-sim quick network.ba', COMP_POINT='26')\n"
        "completing.answer()\n"
        "from slfac_sim.cli.completing import settings, places\n"
        "assert settings.paths('network.ba', places.plain('quick'))\n"
        "print({'torch', 'pydantic', 'numpy', 'rich', 'matplotlib'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_accepts_what_is_to_be_sourced(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert "slfac-sim" in text
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    (tmp_path / "script").write_text(text, encoding="utf-8")
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("slfac-sim qui", ["quick"]),
        ("slfac-sim quick network.ba", ["network.bandwidth="]),
        ("slfac-sim quick evaluation.no_codec=", ["last", "every"]),
    ],
)
def test_bash_completes(line: str, words: list[str], bin_folder: Path, tmp_path: Path) -> None:
    script = f"""
eval "$(slfac-sim completion bash)"
complete -p slfac-sim > /dev/null
COMP_LINE='{line}' COMP_POINT={len(line)} COMP_TYPE=9
_python_argcomplete slfac-sim 2> /dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "--norc", "-ec", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert [word.strip() for word in done.stdout.splitlines()] == words


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_completes_with_descriptions(bin_folder: Path, tmp_path: Path) -> None:
    script = "slfac-sim completion fish | source; complete -C 'slfac-sim quick network.med'"
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        ["fish", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "network.medium=\tHow the transfers under way share the air\n"
