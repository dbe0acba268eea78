"""The one forecast of a round's time, against runs: for every protocol, and every medium of every network."""

import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from played import heard
from told import sentences
from worlds import live_run, scenario, table, world

from slfac_sim.cli import main
from slfac_sim.effects import Compute, Offer, Send
from slfac_sim.forecast.actors import actors_of
from slfac_sim.forecast.cuts import cuts_of
from slfac_sim.forecast.demands import compressed_sizes
from slfac_sim.forecast.rehearsal import rehearsal
from slfac_sim.forecast.round_time import RoundTime, alone_s, round_time
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulate import survey_of

TINY = str(Path(__file__).with_name("tiny.yaml"))
NETWORKS = {
    **{medium: f"network.medium={medium}" for medium in kinds("slfac_sim.network.media")},
    "csma": "network={kind: wifi, medium: csma}",
    "dcf": "network={kind: wifi, medium: dcf}",
    "ideal": "network={kind: ideal, up_rate: 3 Mbit/s, down_rate: 5 Mbit/s}",
    "multi_cell": "network={kind: multi_cell, bandwidth: 5 MHz, stations: 3}",
    "tcp": "network={kind: cell, bandwidth: 5 MHz, grant: 5 ms, transport: tcp}",
    "udp": "network={kind: cell, bandwidth: 5 MHz, jitter: {spread: 0 s}, transport: {kind: udp, tries: 3}}",
}
VARIANTS = {
    **{kind: f"kind: {kind}" for kind in kinds("slfac_sim.protocols")},
    "arrival": "kind: parallel, server_step: arrival",
    "batching": "kind: parallel, server_step: batching, max_items: 2, wait: 0.02",
    "unicast": "kind: parallel, model_broadcast: unicast",
    "deep": "kind: pipelined, depth: 3",
    "all aggregated": "kind: epsl, phi: 1.0",
    "clusters of one": "kind: clustered, cluster: 1",
    "clusters of two": "kind: clustered, cluster: 2",
    "the fastest": "kind: splitfed_v1, participation: {select: {kind: fastest, count: 3}}",
    "a deadline": "kind: splitfed_v1, participation: {deadline: 0.3 s}",
    "enough": "kind: u_shaped, participation: {enough: 3}",
}
UNEVEN = ("codec=raw", "partition={kind: dirichlet, alpha: 1.0}")


def protocol_of(variant: str, steps: str) -> str:
    return f"protocol={{{VARIANTS[variant]}, rounds: 2, steps: {steps}}}"


CASES = [
    (kind, network)
    for i, kind in enumerate(VARIANTS)
    for j, network in enumerate(NETWORKS)
    if (i // 2 + j) % 2 == 0  # each on half of the networks, and each network with half of them
]


@pytest.mark.matrix
@pytest.mark.parametrize(("kind", "network"), CASES)
def test_a_round_takes_what_was_foretold(tmp_path: Path, kind: str, network: str) -> None:
    """Within 10 %, on still air and with everybody there.

    Rounds have three steps or a local epoch. Backoffs of `dcf` are drawn anew in every round, so rounds there
    are longer, for the mean to show.
    """
    epoch = (list(VARIANTS).index(kind) + list(NETWORKS).index(network)) % 2
    steps = "15" if network == "dcf" else "null" if epoch else "3"
    overrides = (*UNEVEN, NETWORKS[network], protocol_of(kind, steps))
    one = world(*overrides)
    foretold = round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule, compressed_sizes(one))
    _, whole_s, _ = live_run(tmp_path / "ledger.sqlite", *overrides)
    seconds = (
        whole_s / 2
        if one.scenario.protocol.schedule.models == "mixed"
        else second_round_s(tmp_path / "ledger.sqlite")
    )
    assert foretold.seconds == pytest.approx(seconds, rel=0.1)


def work_of(effects: Sequence[Any]) -> Counter[tuple[str, ...]]:
    """Return the FLOPs of each host by what they are for, and the bytes from each host to each other."""
    found: Counter[tuple[str, ...]] = Counter()
    for effect in effects:
        if isinstance(effect, Compute | Offer):
            found[effect.host, effect.what] += effect.flops
        elif isinstance(effect, Send):
            receivers = effect.dst if isinstance(effect.dst, tuple) else (effect.dst,)
            found[effect.src, *receivers] += sum(parcel.nbytes for parcel in effect.payloads.values())
    return +found  # nothing of what takes nothing


@pytest.mark.matrix
@pytest.mark.parametrize("steps", ["2", "null"])
@pytest.mark.parametrize("kind", [kind for kind in VARIANTS if kind not in ("a deadline", "enough")])
def test_a_rehearsal_does_the_work_of_a_round_and_sends_its_bytes(kind: str, steps: str) -> None:
    """Those of the second round, which two rounds do more than one, with a codec of constant rate."""
    overrides = ("partition={kind: dirichlet, alpha: 1.0}", "codec=fp16", protocol_of(kind, steps))
    one = world(*overrides)
    schedule = one.scenario.protocol.schedule
    played: list[Any] = []
    InstantPlayer(played.append).play(rehearsal(actors_of(one, schedule, compressed_sizes(one)), schedule))
    two, first = (work_of(heard(world(*overrides, f"protocol.rounds={rounds}"))) for rounds in (2, 1))
    second = {key: two[key] - first[key] for key in two if two[key] > first[key]}
    assert dict(work_of(played)) == pytest.approx(first if schedule.models == "mixed" else second, rel=0.03)


def test_the_parts_add_up_and_name_what_the_round_waits_for() -> None:
    one = world(*UNEVEN, "network.bandwidth=1 MHz", "devices.speed={kind: fixed, speed: 1e15}")
    found = round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule)
    assert found.parts_s is not None
    assert found.seconds == pytest.approx(sum(found.parts_s.values()))
    assert found.parts_s["uplink air"] + found.parts_s["downlink air"] > 0.8 * (found.seconds or 0.0)


def test_slow_hosts_are_slow_in_the_forecast_too() -> None:
    """As they will be drawn; a factor of mean 1 on each compute makes the slowest of five slower."""
    seconds = []
    for slowdowns in ("[]", "[{kind: jitter, sigma: 1.0}]"):
        one = world(
            *UNEVEN, f"devices.slowdowns={slowdowns}", "devices.speed={kind: fixed, speed: 10 MFLOP/s}"
        )
        seconds.append(round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule).seconds)
    assert seconds[1] > 1.2 * seconds[0]


def test_fades_in_blocks_are_left_out_whatever_they_cost() -> None:
    """Blocks of a tenth of a millisecond would take a minute; it is the forecast at mean rates."""
    times = [
        round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule).seconds
        for fading in ("ergodic", "{kind: block, coherence: 0.1 ms}")
        for one in [world(*UNEVEN, f"network.fading={fading}")]
    ]
    assert times[0] == times[1]


def test_a_device_without_coverage_ends_no_round_and_is_never_the_fastest() -> None:
    far = ("network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow")
    one = world(*far)
    schedule, survey = one.scenario.protocol.schedule, survey_of(one.scenario)
    never = RoundTime(None, "d002 has no coverage", endless=True)
    assert round_time(one, survey, schedule) == never
    assert never.seconds == math.inf
    alone = alone_s(one)
    assert [device for device, seconds in alone.items() if seconds == math.inf] == ["d002"]
    fast = world(*far, "protocol={kind: splitfed_v3, participation: {select: {kind: fastest, count: 4}}}")
    assert round_time(fast, survey, fast.scenario.protocol.schedule).seconds < math.inf


def test_of_equals_none_is_faster() -> None:
    """Turns begin at other times, whose rounding must not decide who takes part."""
    alike = ("devices.speed={kind: fixed, speed: 0.1 GFLOP/s}", "network={kind: ideal}", "devices.count=30")
    one = world(*alike, "data.train_samples=480")
    assert len(set(alone_s(one).values())) == 1


UNTOLD = """
from slfac_sim.foundation.plugins import settings
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.protocols import LearningProtocol
from typing import Any
from slfac_sim.protocols import Participation

@settings
class Untold(LearningProtocol):
    rounds: int = 1
    steps: int = 1
    fastest: bool = False
    timing_steers_learning = False

    def run(self, participants):
        if self.fastest:
            participants.expected_s("d000")
        return Parallel(rounds=self.rounds, steps=self.steps).run(participants)

    def device_steps(self, participants):
        return self.rounds * self.steps * len(participants.devices)
"""


@pytest.fixture
def untold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A protocol of somebody else's that declares no schedule."""
    (tmp_path / "their_protocols").mkdir()
    (tmp_path / "their_protocols" / "untold.py").write_text(UNTOLD)
    monkeypatch.syspath_prepend(tmp_path)
    yield "protocol={kind: their_protocols.untold}"
    for name in [name for name in sys.modules if name.split(".")[0] == "their_protocols"]:
        del sys.modules[name]


def test_without_a_schedule_there_is_no_forecast_and_a_sentence(
    untold: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert live_run(tmp_path / "ledger.sqlite", untold)[1] > 0.0
    assert main(["check", TINY, untold]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "no forecast: the protocol their_protocols.untold declares no schedule" in out
    for words in (["--cuts"], ["cut=auto"]):
        assert main(["check", TINY, untold, *words]) == 2
        (line,) = sentences(capsys.readouterr().err)
        assert "no round can be foretold" in line
        assert "declares no schedule; name a cut" in line
    with pytest.raises(BadInput, match="how long devices take cannot be foretold"):
        world(untold).expected_s("d000")


def test_check_says_which_kind_of_figure_it_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY]) == 0
    assert re.search(r"a round +about [\d.]+ s \(uncompressed [\d.]+ s\)", capsys.readouterr().out)
    far = ("network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow")
    assert main(["check", TINY, *far]) == 0
    assert "never ends: d002 has no coverage" in capsys.readouterr().out


@pytest.mark.parametrize("concurrency", [1, 3])
def test_some_at_once_are_foretold_as_if_they_took_turns(tmp_path: Path, concurrency: int) -> None:
    """Which device is next is drawn; over many rounds all come as often."""
    overrides = (*UNEVEN, f"protocol={{kind: fedasync, rounds: 40, steps: 2, concurrency: {concurrency}}}")
    one = world(*overrides)
    foretold = round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule)
    _, whole_s, _ = live_run(tmp_path / "ledger.sqlite", *overrides)
    assert foretold.seconds == pytest.approx(whole_s / 40, rel=0.15)


STILL = ("codec=raw", "network.fading=none")


def second_round_s(path: Path) -> float:
    """Return how long the second round of the run in the ledger `path` took."""
    first, second = (row["at_s"] for row in table(path, "rounds")[:2])
    return float(second - first)


@pytest.mark.parametrize("cluster", [1, 2, 5])
def test_clusters_are_foretold_as_they_run(tmp_path: Path, cluster: int) -> None:
    """Turns were known by the name of `sequential` alone; clusters of one were foretold twice too fast."""
    overrides = (*STILL, f"protocol={{kind: clustered, rounds: 2, steps: 2, cluster: {cluster}}}")
    one = scenario(*overrides)
    (cut,) = (cut for cut in cuts_of(one, one.data.load()) if cut.block == one.cut)
    live_run(tmp_path / "ledger.sqlite", *overrides)
    assert cut.round_s == pytest.approx(second_round_s(tmp_path / "ledger.sqlite"), rel=0.1)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_what_is_expected_of_a_device_is_its_round_alone(tmp_path: Path, share: float) -> None:
    """A direction has no more than its share of the time, which `select: fastest` did not know."""
    overrides = (
        *STILL, "devices.count=1", f"network.uplink_share={share}",
        "protocol={kind: splitfed_v3, rounds: 2, steps: 1}",
    )  # fmt: skip
    live_run(tmp_path / "ledger.sqlite", *overrides)
    seconds = second_round_s(tmp_path / "ledger.sqlite")
    assert world(*overrides).expected_s("d000") == pytest.approx(seconds, rel=0.1)
