"""Golden runs of the base scenario: every kind of everything, and what happens to devices and the air."""

from golden.group import Group, each, ours, run

WIRELESS = {"cell": "radius: 800 m", "multi_cell": "radius: 250 m", "wifi": "radius: 40 m"}  # not all at best
PARTS_OF_AIR = ("medium", "pathloss", "rate", "fading")
KINDS = (
    each("protocols", "protocol", "protocol={kind: CHOICE, rounds: 2, steps: 2}"),
    each("protocols, epochs", "protocol", "protocol={kind: CHOICE, rounds: 1}", "devices.count=3"),
    each("codecs", "codec", "codec={kind: CHOICE}"),
    each("codecs of models", "codec", "codec.model={kind: CHOICE}", "protocol.rounds=1"),
    each("networks", "network", "network={kind: CHOICE}"),
    *(
        each(
            f"{kind}, {part}",
            f"network.{part}",
            f"network={{kind: {kind}, {wide}, {part}: {{kind: CHOICE}}}}",
        )
        for kind, wide in WIRELESS.items()
        for part in PARTS_OF_AIR
    ),
    each(
        "rates, still",
        "network.rate",
        "network={kind: cell, radius: 1 km, fading: none, rate: {kind: CHOICE}}",
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
            "differ",
            "protocol={kind: splitfed_v1, rounds: 2, steps: 2}",
            "cut={d000: conv2, d001: conv1, d002: conv1, d003: conv2}",
        ),
        run("per_device", "protocol={kind: splitfed_v1, rounds: 2, steps: 2}", "cut=per_device"),
        run("auto", "cut=auto"),
        run("u", "protocol={kind: u_shaped, rounds: 2, steps: 2}", "cut=conv1"),
        run("u_tail", "protocol={kind: u_shaped, rounds: 2, steps: 2, tail: conv3}"),
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
        run(
            "silent",
            "network={kind: cell, positions: [[10, 0], [0, 20], [30, 5], [90000, 0]], outage: allow}",
        ),
        run("places", "network={kind: cell, positions: [[10, 0], [0, 20], [30, 5], [50, 50]]}"),
        run("uncovered", "network={kind: cell, positions: [[10, 0], [0, 20], [30, 5], [9000000, 0]]}"),
        run("cells", "network={kind: multi_cell, stations: 3, spacing: 200 m, interference: load}"),
        run("offered", "network={kind: multi_cell, stations: 3, interference: load, offered: 1 Mbit/s}"),
        run("home", "network={kind: wifi, radius: 20 m, medium: {kind: dcf, retry_limit: 2}}"),
        run("ideal", "network={kind: ideal, sharing: none, latency: 10 ms, up_rate: 1 Mbit/s}"),
    ),
)
GROUPS = (EFFECTS, CUTS, CODECS, AIR, *KINDS)
