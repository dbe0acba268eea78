"""Golden runs of every verb: on whole runs and damaged ones, on good input and bad."""

from golden.group import Command, Group, ours, run
from golden.inputs import BAD_FILES
from golden.scenarios import SLOW

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
        ours("run", "base.yaml", "--quiet"),
        ours("explain", "runs/latest", "--json"),
        ours("export", "runs/c", "--format", "parquet"),
        ("!columns", "60"),
        ours("explain", "runs/a"),
        ours("list", "runs"),
        ours("check", "base.yaml"),
        ours("run", "--help"),
        ("!columns", "500"),
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
            "--axis",
            "codec=raw,{kind: slfac, theta: 0.8}",
            "--json",
        ),
        ours("codec", "compare", "caught/step00003_d000_down.npy", "-o", "pictures"),
        ours(
            "codec",
            "encode",
            "caught/step00003_d000_up.npy",
            "codec={kind: slfac, theta: 0.8}",
            "-o",
            "up.slf",
        ),
        ours("codec", "inspect", "up.slf"),
        ours("codec", "inspect", "up.slf", "--json"),
        ours("codec", "decode", "up.slf", "-o", "up.npy"),
        ours("codec", "spectra", "caught", "-o", "spectra"),
        ("!cut", "up.slf", "40"),
        ours("codec", "inspect", "up.slf"),
        ours("codec", "inspect", "caught/step00003_d000_up.npy"),
        ours("codec", "encode", "nowhere.npy", "codec=slfac", "-o", "x.slf"),
        ours("capture", "base.yaml", "--steps", "0", "-o", "x"),
        ours("capture", "base.yaml", "--steps", "99", "-o", "x"),
    ),
)
BODIES = Group(
    "bodies",
    (
        ours("capture", "base.yaml", "codec=raw", "--steps", "2", "-o", "caught"),
        ours("codec", "encode", "caught/step00002_d000_up.npy", "codec={kind: CHOICE}", "-o", "OUT.slf"),
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
ACTIONS: tuple[Command, ...] = (
    ("codec", "encode"),
    ("codec", "decode"),
    ("codec", "inspect"),
    ("codec", "compare"),
)
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
    files=BAD_FILES,
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
GROUPS = (HELP, AHEAD, INPUTS, RUN, RESUME, DAMAGES, CASES, TENSORS, BODIES, QUESTIONS, STUDIES, SHIPPED)
