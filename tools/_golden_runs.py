"""The golden runs as data: groups of commands, each group in a folder of its own with a few input files.

A word `CHOICE` stands for every kind that the setting `of` may have, and for every switch of it (a choice of
words, or a truth value) turned alone; `OUT` for a folder of that name. What begins with `!` is an act of the
player: copy, cut, write, sql, interrupt.
"""

import json
from dataclasses import dataclass, field

Command = tuple[str, ...]

BASE = """\
name: base
data: {kind: synthetic, train_samples: 96, test_samples: 40, size: 8, classes: 4}
partition: iid
model: {kind: small_cnn, width: 4}
cut: conv1
learning: {batch: 8, optimiser: {kind: sgd, learning_rate: 0.05, momentum: 0.9}}
protocol: {kind: parallel, rounds: 2, steps: 2}
devices: {count: 4, speed: {kind: log_normal, median: 0.1 GFLOP/s, sigma: 0.8}}
server: {speed: 1 GFLOP/s}
codec: slfac
network: {kind: cell, bandwidth: 5 MHz}
evaluation: {targets: [0.24, 0.5]}
"""
STUDY = """\
name: small
base: base.yaml
axes:
  network.bandwidth: [500 kHz, 5 MHz]
  codec: [raw, slfac]
seeds: 2
targets: [0.24, 0.5]
threads: 1
"""
BLOCK_TIMES = "block,forward_s,backward_s\nconv1,0.001,0.0025\nconv2,0.002,0.005\n"
OUTAGES = "device,down_s,up_s,reason\nd001,0.05,0.3,crash\nd002,0.2,,crash\n"
CASE = json.dumps(
    {
        "links": {
            "phone": {"capacity_bps": 10e6, "latency_s": 0.005},
            "server": {"capacity_bps": 40e6, "latency_s": 0.01, "profile": [[0.2, 0], [0.4, 40e6]]},
            "home": {"kind": "csma", "standard": "802.11a"},
            "hut": {"kind": "dcf", "standard": "802.11n", "seed": 3},
            "tower": {"kind": "ofdma", "duplex": "tdd", "station": "tower", "uplink_share": 0.25},
            "turns": {"kind": "tdma"},
        },
        "transfers": [
            {"id": 0, "path": ["phone", "server"], "start_s": 0, "bytes": 1e6},
            {"id": 1, "path": ["phone"], "start_s": 0.1, "bytes": 2e5, "weight": 2},
            {"id": 2, "path": ["phone", "server"], "start_s": 0.1, "bytes": 2e5, "cap_bps": 2e6},
            *(
                {"id": f"{medium} {i}", "path": [medium], "start_s": 0.01 * i, "bytes": 1e5 * (i + 1)}
                | {"src": f"d{i}", "dst": "tower", "phy_rate_bps": rate_bps}
                for medium in ("home", "hut", "tower", "turns")
                for i, rate_bps in enumerate((54e6, 6e6))
            ),
        ],
    }
)
STUCK = json.dumps(
    {
        "links": {"a": {"capacity_bps": 1e6, "profile": [[1.0, 0]]}},
        "transfers": [{"id": "late", "path": ["a"], "start_s": 2, "bytes": 10}],
    }
)
FILES = {"base.yaml": BASE, "study.yaml": STUDY, "times.csv": BLOCK_TIMES, "outages.csv": OUTAGES}
FILES |= {"case.json": CASE, "stuck.json": STUCK, "naive.json": ""}
FILES["naive.json"] = json.dumps(
    {
        "engine": "naive",
        "links": {"a": {"capacity_bps": 8e6}},
        "transfers": [{"id": i, "path": ["a"], "start_s": i / 10, "bytes": 2e5} for i in range(4)],
    }
)


@dataclass(frozen=True)
class Group:
    """Commands that are played in one folder, in order; `of` is the setting that `CHOICE` stands for."""

    name: str
    commands: tuple[Command, ...]
    of: str = ""
    files: dict[str, str] = field(default_factory=dict)


def ours(*words: str) -> Command:
    """Return a command of `python -m slfac_sim`."""
    return ("slfac_sim", *words)


def run(out: str, *overrides: str) -> Command:
    """Return the command that runs the base scenario with `overrides` into the folder `out`."""
    return ours("run", "base.yaml", *overrides, "--out", out, "--quiet")


def each(name: str, of: str, *overrides: str) -> Group:
    """Return the group that runs the base scenario with every kind and switch of the setting `of`."""
    return Group(name, (run("OUT", *overrides),), of)


FADING = "network={kind: cell, bandwidth: 5 MHz, fading: {kind: CHOICE}}"
WIRELESS = ("cell", "multi_cell", "wifi")
PARTS_OF_AIR = ("medium", "pathloss", "rate", "fading")
KINDS = (
    each("protocols", "protocol", "protocol={kind: CHOICE, rounds: 2, steps: 2}"),
    each("protocols, epochs", "protocol", "protocol={kind: CHOICE, rounds: 1}", "devices.count=3"),
    each("codecs", "codec", "codec={kind: CHOICE}"),
    each("codecs of models", "codec", "codec.model={kind: CHOICE}", "protocol.rounds=1"),
    each("networks", "network", "network={kind: CHOICE}"),
    *(
        each(f"{kind}, {part}", f"network.{part}", f"network={{kind: {kind}, {part}: {{kind: CHOICE}}}}")
        for kind in WIRELESS
        for part in PARTS_OF_AIR
    ),
    each("speeds", "devices.speed", "devices.speed={kind: CHOICE}"),
    each("slowdowns", "devices.slowdowns", "devices.slowdowns=[{kind: CHOICE}]"),
    each("availability", "devices.availability", "devices.availability={kind: CHOICE}"),
    each("optimisers", "learning.optimiser", "learning.optimiser={kind: CHOICE, learning_rate: 0.01}"),
    each("partitions", "partition", "partition={kind: CHOICE}"),
    each(
        "selections",
        "protocol.participation.select",
        "protocol={kind: fedavg, rounds: 2, steps: 2, participation: {select: {kind: CHOICE}, enough: 2}}",
    ),
    Group("models", (ours("check", "base.yaml", "model={kind: CHOICE}"),), "model"),
)
SLOW = "network.bandwidth=500 kHz"
EFFECTS = Group(
    "effects",
    (
        run(
            "deadline", "protocol={kind: splitfed_v1, rounds: 2, steps: 2, participation: {deadline: 300 ms}}"
        ),
        run("deadline_parallel", "protocol.participation={deadline: 400 ms}", "devices.speed.sigma=1.5"),
        run("enough", "protocol.participation={select: {kind: random, count: 3}, enough: 2}"),
        run("fastest", "protocol.participation={select: {kind: fastest, count: 2}}"),
        run("trace", "devices.availability={kind: trace, file: outages.csv}"),
        run("crash", "devices.availability={kind: crash, mean_between: 1 s, restart: 200 ms}"),
        run("for_good", "devices.availability={kind: crash, mean_between: 200 ms, restart: null}"),
        run("on_off", "devices.availability={kind: on_off, mean_on: 500 ms, mean_off: 200 ms}"),
        run("server_down", "server.availability={kind: crash, mean_between: 400 ms, restart: 50 ms}"),
        run("stragglers", "devices.slowdowns=[{kind: stragglers, probability: 0.5, each: 100 ms}, jitter]"),
        run("heat", "devices.slowdowns=[{kind: thermal, heats_in: 50 ms, cools_in: 50 ms}]"),
        run("server_slow", "server.slowdowns=[exponential]", "server.discipline=sharing"),
        run("battery", "devices.battery=1 J", "devices.power={compute: 5 W, idle: 1 W}"),
        run("small_battery", "devices.battery=10 mJ", "protocol={kind: sequential, rounds: 2, steps: 2}"),
        run("roofline", "devices.memory_bandwidth=100 MB/s", "devices.memory=1 GB"),
        run("no_memory", "devices.memory=1 kB"),
        run(
            "hardware", "devices.speed={kind: profiles, names: {raspberry_pi_4: 2, phone: 2}, hardware: true}"
        ),
        run("measured", "devices.speed={kind: measured, table: times.csv}", "cut=conv2"),
        run("codec_speed", "devices.codec_speed=1 MFLOP/s", "server.codec_speed=10 MFLOP/s"),
        run(
            "batching",
            "protocol={kind: parallel, rounds: 2, server_step: batching, max_items: 3, wait: 9 ms}",
        ),
        run("depth", "protocol={kind: pipelined, rounds: 2, steps: 3, depth: 3}"),
        run("phi", "protocol={kind: epsl, rounds: 2, steps: 2, phi: 1.0}"),
        run("cluster", "protocol={kind: clustered, rounds: 2, steps: 2, cluster: 2}"),
        run("local_epochs", "protocol={kind: fedavg, rounds: 1, local_epochs: 2}"),
        run("diverged", "learning.optimiser={kind: sgd, learning_rate: 1.0e+30}", "codec=raw"),
        ours("run", "base.yaml", SLOW, "--out", "strict", "--quiet", "--strict", "--seed", "5"),
    ),
)
CUTS = Group(
    "cuts",
    (
        run("conv2", "cut=conv2"),
        run(
            "differ", "protocol={kind: splitfed_v1, rounds: 2, steps: 2}", "cut={d000: conv2, others: conv1}"
        ),
        run("per_device", "protocol={kind: splitfed_v1, rounds: 2, steps: 2}", "cut=per_device"),
        run("auto", "cut=auto"),
        run("u", "protocol={kind: u_shaped, rounds: 2, steps: 2}", "cut=conv1"),
        run("u_tail", "protocol={kind: u_shaped, rounds: 2, steps: 2, tail: conv2}"),
        ours("check", "base.yaml", "--cuts"),
        ours("check", "base.yaml", "--cuts", "--json", "protocol=splitfed_v1", "--figures", "pictures"),
    ),
)
PAIR = "{uplink: {kind: aq_sgd, bits: 4}, downlink: {kind: uniform, bits: 4}}"
CODECS = Group(
    "codecs by name",
    (
        run("pair", f"codec={PAIR}"),
        run(
            "feedback",
            "codec={uplink: {kind: error_feedback, codec: {kind: topk, rate: 0.1}}, downlink: raw}",
        ),
        run(
            "support", "codec={uplink: {kind: topk, rate: 0.1}, downlink: {kind: on_support, codec: uniform}}"
        ),
        run("models", "codec={uplink: slfac, downlink: slfac, model: {uplink: topk, downlink: uniform}}"),
        run("fedavg", "protocol={kind: fedavg, rounds: 2, steps: 2, send: difference}", "codec.model=qsgd"),
        run("theta", "codec.uplink.theta=0.7"),
        run("rd", "codec={kind: slfac_rd, step: 0.5}"),
    ),
)
AIR = Group(
    "air",
    (
        run("fdd", "network={kind: cell, duplex: fdd, medium: {kind: ofdma, resource_blocks: 11}}"),
        run("half", "network={kind: cell, duplex: half, medium: {kind: tdma, work_conserving: true}}"),
        run("rician", "network={kind: cell, small_scale: rician, shadowing: correlated}"),
        run("power", "network={kind: cell, power_control: {target: -80 dBm, alpha: 0.8}}"),
        run("once", "network={kind: cell, retransmission: null}"),
        run("harq", "network={kind: cell, retransmission: {bler: 0.2, max_tries: 3, round_trip: 4 ms}}"),
        run("blocks", "network={kind: cell, fading: {kind: block, coherence: 50 ms}}"),
        run("jakes", "network={kind: cell, fading: {kind: jakes, doppler: 10 Hz}, bandwidth: 1 MHz}"),
        run("far", "network={kind: cell, radius: 3 km}", "seed.air=3"),
        run("silent", "network={kind: cell, radius: 30 km, outage: allow}"),
        run("places", "network={kind: cell, positions: [[10, 0], [0, 20], [30, 5], [50, 50]]}"),
        run("uncovered", "network={kind: cell, positions: [[10, 0], [0, 20], [30, 5], [9000000, 0]]}"),
        run("cells", "network={kind: multi_cell, stations: 3, spacing: 200 m, interference: activity}"),
        run("offered", "network={kind: multi_cell, stations: 3, offered: 1 Mbit/s}"),
        run("home", "network={kind: wifi, radius: 20 m, medium: {kind: dcf, seed: 4}}"),
        run("ideal", "network={kind: ideal, sharing: none, latency: 10 ms, up_rate: 1 Mbit/s}"),
    ),
)
RUN = Group(
    "one run",
    (
        ours("run", "base.yaml", "--out", "runs/a"),
        ours("base.yaml", "codec=raw", "--out", "runs/b", "--draw", "none"),
        ours("run", "base.yaml", "--seed", "7", "--out", "runs/c", "--json", "--draw", "all"),
        ours("run", "base.yaml", "--out", "runs/a"),
        ours("explain", "runs/a"),
        ours("explain", "runs/a", "--steps", "1"),
        ours("explain", "runs/a", "--steps", "9"),
        ours("explain", "runs/b", "--json", "--replay"),
        ours("compare", "runs/a", "runs/b"),
        ours("compare", "runs/a", "runs/c", "--json"),
        ours("list"),
        ours("list", "runs", "--check"),
        ours("list", "runs", "--json"),
        ours("export", "runs/a"),
        ours("export", "runs/a"),
        ours("export", "runs/b", "--out", "tables"),
        ours("trace", "runs/a"),
        ours("cite", "runs/a"),
        ours("verify", "runs/a"),
        ours("verify", "runs/b", "--quiet"),
        ours("replay", "runs/a", SLOW, "--out", "slow", "--quiet"),
        ours("replay", "runs/a", "network=ideal", "server.speed=0.5 GFLOP/s", "--out", "ideal", "--strict"),
        ours("replay", "runs/b", "network={kind: wifi, radius: 20 m}", "--out", "wifi", "--json"),
        ours("replay", "runs/b", "--seed-air", "4", "--out", "other_air", "--quiet"),
        ours("replay", "runs/b", "codec=slfac", "--out", "refused"),
        ours("explain", "slow"),
        ours("verify", "slow"),
        ("slfac_sim.analysis", "runs/a"),
        ("slfac_sim.analysis", "runs/a", "runs/b", "slow", "-o", "together", "--json"),
    ),
)
RESUME = Group(
    "resumed",
    (
        ("!interrupt", "round_000002"),
        ours("run", "base.yaml", "protocol.rounds=4", "--out", "cut", "--checkpoint-every", "1", "--quiet"),
        ("!copy", "cut", "kept"),
        ours("list", "."),
        ours("explain", "cut"),
        ours("resume", "cut"),
        ours("resume", "cut"),
        ours("verify", "cut"),
        ("!cut", "kept/ledger.sqlite", "5000"),
        ours("resume", "kept", "--quiet"),
        run("whole", "protocol.rounds=4"),
        ours("compare", "cut", "whole"),
    ),
)
STUDIES = Group(
    "studies",
    (
        ours("check", "study.yaml"),
        ours("check", "study.yaml", "--json"),
        ours("sweep", "study.yaml", "--out", "study", "--cache", "trainings", "--workers", "1", "--quiet"),
        ours("sweep", "study.yaml", "--out", "study", "--cache", "trainings", "--workers", "1", "--json"),
        (
            *ours("sweep", "base.yaml", "--axis", "protocol.steps=1,2", "--seeds", "1", "--air-seeds", "2"),
            *("--out", "axis", "--cache", "trainings", "--workers", "1", "--threads", "1", "--quiet"),
        ),
        ("slfac_sim.analysis", "study", "-o", "again"),
        ("slfac_sim.analysis", "study", "-o", "again", "--json"),
        ("slfac_sim.analysis", "study", "axis"),
        ours("sweep", "study.yaml", "--shard", "3/2"),
        ours("sweep", "study.yaml", "--axis", "network.bandwith=1,2 MHz"),
    ),
)
VARIED = ("--vary", "network.bandwidth", "--between", "500 kHz,50 MHz", "--cache", "trainings")
QUESTIONS = Group(
    "questions",
    (
        ours("ask", "base.yaml", "simulated_s <= 1 s", *VARIED, "--out", "ask"),
        ours("ask", "base.yaml", "simulated_s <= 1 ms", *VARIED, "--seeds", "2", "--out", "never", "--json"),
        ours("crossover", "base.yaml", "raw", "slfac", *VARIED, "--out", "crossover"),
        ours("crossover", "base.yaml", "raw", "slfac", *VARIED, "--target", "0.99", "--out", "none"),
        ours("ask", "base.yaml", "simulated_s = 1 s", *VARIED),
        ours("ask", "base.yaml", "simulated_s <= 1 s", "--vary", "codec.uplink.theta"),
    ),
)
TENSORS = Group(
    "tensors",
    (
        ours("capture", "base.yaml", "codec=raw", "--steps", "1,3", "-o", "caught"),
        ours("codec", "compare", "caught/step00003_d000_up.npy"),
        ours(
            "codec",
            "compare",
            "caught/step00003_d000_up.npy",
            "--codecs",
            "raw",
            "slfac",
            "theta=0.8",
            "--json",
        ),
        ours("codec", "compare", "caught/step00003_d000_down.npy", "-o", "pictures"),
        ours(
            "codec", "encode", "caught/step00003_d000_up.npy", "--codec", "slfac", "theta=0.8", "-o", "up.slf"
        ),
        ours("codec", "inspect", "up.slf"),
        ours("codec", "inspect", "up.slf", "--json"),
        ours("codec", "decode", "up.slf", "-o", "up.npy"),
        ours("codec", "spectra", "caught", "-o", "spectra"),
        ("!cut", "up.slf", "40"),
        ours("codec", "inspect", "up.slf"),
        ours("codec", "inspect", "caught/step00003_d000_up.npy"),
        ours("codec", "encode", "nowhere.npy", "--codec", "slfac", "-o", "x.slf"),
        ours("capture", "base.yaml", "--steps", "0", "-o", "x"),
        ours("capture", "base.yaml", "--steps", "99", "-o", "x"),
    ),
)
BODIES = Group(
    "bodies",
    (
        ours("capture", "base.yaml", "codec=raw", "--steps", "2", "-o", "caught"),
        ours("codec", "encode", "caught/step00002_d000_up.npy", "--codec", "CHOICE", "-o", "OUT.slf"),
        ours("codec", "inspect", "OUT.slf"),
        ours("codec", "decode", "OUT.slf", "-o", "OUT.npy"),
    ),
    "codec",
)
CASES = Group(
    "network cases",
    (
        ("slfac_sim.network", "case.json"),
        ("slfac_sim.network", "naive.json", "-o", "naive.out.json"),
        ("slfac_sim.network", "stuck.json"),
        ("slfac_sim.network", "nowhere.json"),
        ("slfac_sim.network", "base.yaml"),
        ("!write", "unknown.json", '{"links": {"a": {"capacity_bps": 1, "latency": 2}}, "transfers": []}'),
        ("slfac_sim.network", "unknown.json"),
        ("!write", "medium.json", '{"links": {"a": {"kind": "ofdmaa"}}, "transfers": []}'),
        ("slfac_sim.network", "medium.json"),
        ("slfac_sim.network",),
    ),
)
AHEAD = Group(
    "ahead",
    (
        ours("check", "base.yaml"),
        ours("check", "base.yaml", "--json"),
        ours("check", "base.yaml", "protocol=fedavg", "network={kind: multi_cell, stations: 3}", "--json"),
        ours("check", "base.yaml", "protocol=u_shaped", "network=wifi", "codec=topk", "--figures", "air"),
        ours("check", "base.yaml", "network=ideal", "--seed", "3"),
        ours("check", "base.yaml", "protocol.kind=sequential", "codec.uplink.kind=raw"),
        ours("schema"),
        ours("schema", "--study"),
        ours("cite"),
        ours("cite", "--bibtex"),
        ours("cite", "base.yaml", "protocol=clustered"),
        ours("data", "where"),
    ),
)
VERBS = (
    *("run", "resume", "verify", "check", "replay", "sweep", "ask", "crossover", "explain", "trace"),
    *("list", "compare", "export", "cite", "codec", "capture", "schema", "data"),
)
ACTIONS = (("codec", "encode"), ("codec", "decode"), ("codec", "inspect"), ("codec", "compare"))
ACTIONS += (("codec", "spectra"), ("data", "fetch"), ("data", "where"))
HELP = Group(
    "help",
    (
        ours(),
        ours("--help"),
        ours("--version"),
        *(ours(verb, "--help") for verb in VERBS),
        *(ours(*action, "--help") for action in ACTIONS),
        *(ours(verb) for verb in VERBS if verb not in ("list", "schema", "cite")),
        ("slfac_sim.network", "--help"),
        ("slfac_sim.analysis", "--help"),
    ),
)
WRONG = (
    *("codec=slfacc", "codec.uplink.thetaa=0.9", "codec.uplink.theta=2", "codec.uplink.theta=much"),
    *("codec={kind: slfac, theta: 0.9, nonsense: 1}", "protocol=paralel", "protocol.rounds=0", "bandwidth=3"),
    *("protocol={kind: splitfed_v1, cluster: 3}", "network.bandwidth=5 MB", "network.bandwidth=-1 Hz"),
    *("network.medium=csma", "network={kind: wifi, medium: fair}", "network.fading=jake", "cut=conv9"),
    *("devices.count=0", "devices.speed=fast", "devices.speed={kind: profiles, names: {phone: 3}}"),
    *(
        "devices.speed={kind: measured, table: nowhere.csv}",
        "devices.availability={kind: trace, file: no.csv}",
    ),
    *("protocol.participation.enough=9", "evaluation.targets=[0.5, 0.5]", "evaluation.targets=[2]"),
    *("name=a/b", "name=studies", "seed=-1", "seed.learning=1.5", "data={kind: mnist, folder: nowhere}"),
    *("model=resnet", "partition={kind: dirichlet, alpha: 0}", "learning.batch=0", "learning.optimiser=sdg"),
    *("codec={uplink: raw}", "codec={uplink: raw, downlink: on_support}", "codec=foreign.codec", "a.b.c=1"),
    *("server.discipline=lifo", "devices.slowdowns=[jiter]", "network.radius=1 m", "cut={d000: conv1}"),
    "network={kind: cell, rate: wifi}",
)
INPUTS = Group(
    "bad inputs",
    (
        *(ours("check", "base.yaml", wrong) for wrong in WRONG),
        ours("run", "base.yaml", "codec=slfacc", "--out", "x"),
        ours("runn", "base.yaml"),
        ours("nowhere.yaml"),
        ours("quik"),
        ours("run", "nowhere.yaml"),
        ours("run", "base.yaml", "--outt", "x"),
        ours("run", "base.yaml", "--threads", "0"),
        ours("run", "base.yaml", "--checkpoint-every", "-1"),
        ours("run", "base.yaml", "--out", "base.yaml"),
        ours("run", "bad.yaml"),
        ours("run", "twice.yaml"),
        ours("run", "list.yaml"),
        ours("run", "many.yaml"),
        ours("run", "empty.yaml"),
        ours("run", "study.yaml"),
        ours("sweep", "badstudy.yaml"),
        ours("check", "badstudy.yaml"),
        ours("codec", "encode"),
        ours("codec", "shrink"),
        ours("data", "fetch", "cifar"),
    ),
    files={
        "bad.yaml": "name: [unclosed\n",
        "twice.yaml": BASE + "cut: conv2\n",
        "list.yaml": "- a\n- b\n",
        "empty.yaml": "",
        "many.yaml": BASE.replace("cut:", "cutt:")
        .replace("rounds: 2", "rounds: two")
        .replace("slfac", "slfak"),
        "badstudy.yaml": STUDY.replace("seeds: 2", "seeds: none\nsheds: 2"),
    },
)
READERS: tuple[Command, ...] = (
    *(("explain", "F"), ("trace", "F"), ("export", "F"), ("list", "F", "--check"), ("compare", "F", "good")),
    *(("replay", "F", SLOW, "--out", "x"), ("verify", "F", "--quiet"), ("resume", "F"), ("cite", "F")),
)
DAMAGED = ("nowhere", "empty", "cut", "altered", "no_table", "no_summary", "odd_summary", "no_scenario")
DAMAGES = Group(
    "damaged runs",
    (
        run("good"),
        *(("!copy", "good", name) for name in DAMAGED[2:]),
        ("!write", "empty/nothing.txt", ""),
        ("!cut", "cut/ledger.sqlite", "5000"),
        ("!sql", "altered/ledger.sqlite", "UPDATE transfers SET wire_bytes = wire_bytes + 1 WHERE id = 3"),
        ("!sql", "no_table/ledger.sqlite", "DROP TABLE computes"),
        ("!cut", "no_summary/summary.json", "0"),
        ("!write", "odd_summary/summary.json", '{"scenario": 7}'),
        ("!write", "no_scenario/scenario.yaml", "name: base\n"),
        *(ours(*(name if word == "F" else word for word in verb)) for verb in READERS for name in DAMAGED),
        *(("slfac_sim.analysis", name, "-o", f"figures_{name}") for name in DAMAGED),
    ),
)
SHIPPED = Group(
    "shipped",
    (
        ours("cite", "SHIPPED"),
        ours("check", "SHIPPED", "data={kind: synthetic, train_samples: 3000, test_samples: 50, size: 12}"),
    ),
)
GROUPS = (
    *(HELP, AHEAD, INPUTS, RUN, RESUME, DAMAGES, CASES, TENSORS, BODIES, EFFECTS, CUTS, CODECS, AIR),
    *(*KINDS, QUESTIONS, STUDIES, SHIPPED),
)
