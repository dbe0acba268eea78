"""The input files of the golden runs: a small scenario, a study, cases of the network, and bad ones."""

import json

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


BAD_FILES = {
    "bad.yaml": "name: [unclosed\n",
    "twice.yaml": BASE + "cut: conv2\n",
    "list.yaml": "- a\n- b\n",
    "empty.yaml": "",
    "many.yaml": BASE.replace("cut:", "cutt:").replace("rounds: 2", "rounds: two").replace("slfac", "slfak"),
    "badstudy.yaml": STUDY.replace("seeds: 2", "seeds: none\nsheds: 2"),
}
