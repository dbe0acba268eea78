"""The tables of the ledger: their columns, types and meanings; it knows no row and no file."""

PLACE = {
    "task": ("TEXT", "the task that asked, as the path of places from the protocol's root (empty)"),
    "seq": ("INTEGER", "the number of the effect within its task"),
}

AIR: dict[str, dict[str, tuple[str, str]]] = {
    "air": {
        "access": ("TEXT", "access network; empty for a network that is one alone"),
        "medium": ("TEXT", "how the transfers under way share the air: `fair`, `ofdma`, `csma`, ..."),
        "duplex": ("TEXT", "how uplink and downlink are kept apart"),
        "up_share": ("REAL", "part of the medium's time that the uplink may have"),
        "down_share": ("REAL", "part of the medium's time that the downlink may have"),
        "latency_s": ("REAL", "from the last bit on the air to the bytes in the receiver's hands"),
        "multicast_rate_bps": ("REAL", "rate at which all devices can be reached at once"),
        "coherence_s": ("REAL", "length of a block of fading; NULL where rates do not change"),
        "radius_m": ("REAL", "radius of a cell; NULL for none"),
        "redraws": ("INTEGER", "positions drawn again for want of coverage"),
        "crowd_independent": (
            "INTEGER",
            "1 if a transfer's airtime does not depend on who else sends, else 0",
        ),
    },
    "stations": {
        "name": ("TEXT", "base station or access point"),
        "x_m": ("REAL", "its place, to the east"),
        "y_m": ("REAL", "its place, to the north"),
    },
    "links": {
        "device": ("TEXT", "device"),
        "station": ("TEXT", "the station that serves it; empty where there is none"),
        "x_m": ("REAL", "its place, to the east; NULL in a network without places"),
        "y_m": ("REAL", "its place, to the north; NULL in a network without places"),
        "los": ("INTEGER", "1 in line of sight of its station, 0 not; NULL where that is not modelled"),
        "distance_m": ("REAL", "distance to its station, on the ground"),
        "up_snr_db": ("REAL", "mean signal-to-noise ratio at the station"),
        "down_snr_db": ("REAL", "mean signal-to-noise ratio at the device"),
        "up_rate_bps": ("REAL", "mean rate up, with the whole medium to itself"),
        "down_rate_bps": ("REAL", "mean rate down, with the whole medium to itself"),
        "up_best_bps": ("REAL", "most bits per second of airtime up that it can have, however many send"),
        "down_best_bps": ("REAL", "most bits per second of airtime down that it can have, however many send"),
        "access": ("TEXT", "access network that it is in; empty for a network that is one alone"),
        "server": ("TEXT", "the server that it learns with"),
        "latency_s": ("REAL", "one way between it and that server, from the last bit on the air on"),
    },
    "wires": {
        "name": ("TEXT", "name of the wire in `network.links`"),
        "src": ("TEXT", "node at one end"),
        "dst": ("TEXT", "node at the other end"),
        "capacity_bps": ("REAL", "capacity from `src` to `dst`, or of both ways where it is half duplex"),
        "back_bps": ("REAL", "capacity from `dst` to `src`"),
        "latency_s": ("REAL", "one way"),
        "half_duplex": ("INTEGER", "1 if both ways share the capacity, else 0"),
    },
    "routes": {
        "src": ("TEXT", "node at which the route begins: an access network, a station or a server"),
        "dst": ("TEXT", "node at which it ends"),
        "hop": ("INTEGER", "place of the link on the route, from 0"),
        "link": ("TEXT", "link, as in `link_use`"),
    },
}
"""What the network offers before anything is sent: `air` for each access network, `links` for each device."""

TABLES: dict[str, dict[str, tuple[str, str]]] = AIR | {
    "transfers": {
        "id": ("INTEGER PRIMARY KEY", "number of the row, in order of completion"),
        **PLACE,
        "src": ("TEXT", "sending host"),
        "dst": ("TEXT", "receiving host; `*` for a multicast"),
        "receivers": ("INTEGER", "number of receiving hosts"),
        "payload_bytes": ("INTEGER", "sum of the lengths of the bodies sent"),
        "wire_bytes": ("INTEGER", "payload with packet headers, and all that was sent again"),
        "asked_s": ("REAL", "when the sender had the bytes ready"),
        "start_s": ("REAL", "when the medium took the first of them"),
        "last_bit_s": ("REAL", "when the last bit left and the air was free"),
        "end_s": ("REAL", "when the receiver held them all (latency included)"),
        "airtime_s": ("REAL", "share of the air integrated over time: what it would have taken alone"),
        "rate_bps": ("REAL", "wire bits per second of airtime"),
        "snr_db": ("REAL", "mean signal-to-noise ratio of the link"),
        "energy_j": ("REAL", "energy radiated: transmit power x the time at full power"),
        "tries": (
            "INTEGER",
            "most times that a packet of it was sent by its transport; 802.11 and `retransmission` have later"
            " tries in airtime, rate and latency",
        ),
        "outcome": (
            "TEXT",
            "`delivered`, `cancelled` or `lost`, where its transport has given it up; a multicast is"
            " delivered if anybody got it",
        ),
    },
    "payloads": {
        "transfer": ("INTEGER", "`transfers.id`"),
        "kind": (
            "TEXT",
            "`smashed_up`, `smashed_down`, `middle_down`, `middle_up`, `labels`, `model_up`, `model_down`,"
            " `edge_up`, `edge_down` (between edges and a cloud)",
        ),
        "bytes": ("INTEGER", "length of the body, header included"),
        "value_count": ("INTEGER", "numbers that the body stands for"),
        "sha256": ("TEXT", "first 16 hexadecimal digits of the body's SHA-256"),
    },
    "bottlenecks": {
        "transfer": ("INTEGER", "`transfers.id`"),
        "link": ("TEXT", "link, as in `link_use`"),
        "limited_s": ("REAL", "for how long the link was the one that bound the transfer's rate"),
    },
    "set_ups": {
        "transfer": ("INTEGER", "`transfers.id`"),
        "set_up_s": ("REAL", "from `asked_s` on: for how long it waited for a connection or a grant"),
    },
    "computes": {
        "id": ("INTEGER PRIMARY KEY", "number of the row, in order of completion"),
        **PLACE,
        "host": ("TEXT", "computing host"),
        "what": ("TEXT", "the work: `forward`, `encode`, `train`, ..."),
        "flops": ("REAL", "work in FLOPs (equivalent FLOPs for codecs)"),
        "asked_s": ("REAL", "when it was asked for"),
        "start_s": ("REAL", "when the host was free for it"),
        "end_s": ("REAL", "when it was done"),
        "outcome": ("TEXT", "`done`, `interrupted` (its task was closed) or `down` (its host was)"),
    },
    "offers": {
        "id": ("INTEGER PRIMARY KEY", "number of the row, in order of the answers"),
        **PLACE,
        "host": ("TEXT", "host of the batching queue"),
        "queue": ("TEXT", "name of the queue"),
        "place": ("INTEGER", "place within the batch"),
        "what": ("TEXT", "the work that the batch waits for"),
        "flops": ("REAL", "this item's part of the work"),
        "max_items": ("INTEGER", "items that make the batch"),
        "asked_s": ("REAL", "when the item was offered"),
        "end_s": ("REAL", "when it was answered"),
    },
    "limits": {
        **PLACE,
        "asked_s": ("REAL", "when the tasks were begun"),
        "tasks": ("INTEGER", "number of tasks run side by side"),
        "deadline_s": ("REAL", "time allowed to them, from then on; NULL for any"),
        "enough": ("INTEGER", "number of results waited for; NULL for all"),
    },
    "withdrawals": {
        **PLACE,
        "host": ("TEXT", "host of the batching queue"),
        "queue": ("TEXT", "name of the queue"),
        "asked_s": ("REAL", "when the item was offered"),
        "end_s": ("REAL", "when it was no longer waited for"),
        "outcome": ("TEXT", "`interrupted` (its task was closed) or `down` (the host of the queue was)"),
    },
    "outages": {
        "host": ("TEXT", "host that was down"),
        "down_s": ("REAL", "when it went down"),
        "up_s": ("REAL", "when it was up again; NULL if it was not until the end"),
        "reason": ("TEXT", "why: `off`, `crash`, `battery empty`, ..."),
    },
    "steps": {
        **PLACE,
        "at_s": ("REAL", "when the device had updated its half"),
        "round": ("INTEGER", "round, from 1"),
        "step": ("INTEGER", "step within the round, from 1"),
        "device": ("TEXT", "device"),
        "samples": ("INTEGER", "samples in its mini-batch"),
        "loss": ("REAL", "mean loss of its mini-batch, before the update"),
        "accuracy": ("REAL", "accuracy on its mini-batch, before the update"),
    },
    "rounds": {
        **PLACE,
        "at_s": ("REAL", "when the server had averaged the device halves"),
        "round": ("INTEGER", "round, from 1"),
        "devices": ("INTEGER", "devices that took part"),
        "samples": ("INTEGER", "samples that they used"),
        "loss": ("REAL", "mean training loss over those samples"),
    },
    "evals": {
        **PLACE,
        "at_s": ("REAL", "simulated time of the model that was measured (round 0: before training)"),
        "round": ("INTEGER", "round, from 0"),
        "accuracy": ("REAL", "test accuracy with the uplink codec between the halves"),
        "loss": ("REAL", "mean test loss with the uplink codec between the halves"),
        "accuracy_no_codec": (
            "REAL",
            "test accuracy of the same model without the codec; NULL: not measured",
        ),
        "payload_bytes": ("INTEGER", "payload bytes delivered until then"),
    },
    "misses": {
        **PLACE,
        "at_s": ("REAL", "when the round had ended, or for who was absent begun"),
        "round": ("INTEGER", "round, from 1"),
        "device": ("TEXT", "device that did not finish it"),
        "reason": ("TEXT", "`absent`, `deadline`, `enough`, or what failed"),
    },
    "staleness": {
        **PLACE,
        "at_s": ("REAL", "when the server had taken the step, or had mixed"),
        "device": ("TEXT", "device whose mini-batch, half, model or change it was"),
        "kind": ("TEXT", "`step` (of the server, on a mini-batch) or `mix` (of what a device handed in)"),
        "staleness": ("INTEGER", "steps, or mixings, since the one that the device had learnt from last"),
        "weight": ("REAL", "what the learning rate was multiplied by, or the part of it in what came of it"),
    },
}
SUMS: dict[str, dict[str, tuple[str, str]]] = {
    "parts": {
        "round": ("INTEGER", "round, from 1; what is sent after the last counts as one more"),
        "kind": ("TEXT", "kind of the bodies, as in `payloads`"),
        "part": ("TEXT", "what the bytes are for: `frame`, `ranges`, `symbols`, ...; `body`: not told"),
        "messages": ("INTEGER", "number of bodies with such bytes"),
        "bytes": ("INTEGER", "these bytes of all of them together"),
    },
    "codec_notes": {
        "round": ("INTEGER", "round, from 1"),
        "kind": ("TEXT", "kind of the bodies, as in `payloads`"),
        "name": ("TEXT", "what the codec notes of a body: `bits_low`, `entropy_bound_bytes`, ..."),
        "messages": ("INTEGER", "number of bodies with such a note"),
        "mean": ("REAL", "mean over these bodies"),
    },
}
"""What bodies are made of, summed over each round: 100,000 messages leave a few rows a round."""

MEASURED: dict[str, dict[str, tuple[str, str]]] = {
    "classes": {
        "round": ("INTEGER", "round that was evaluated, as in `evals`"),
        "class": ("INTEGER", "class, from 0"),
        "samples": ("INTEGER", "test samples of the class; of a mean over models, of all of them together"),
        "taken": ("INTEGER", "test samples that were taken for it, whatever they were"),
        "correct": ("INTEGER", "its samples that were taken for it"),
        "taken_for": (
            "TEXT",
            'what its samples were taken for, as JSON: `{"3": 12, ...}`, without classes of 0 samples;'
            " its row of the confusion matrix",
        ),
    },
    "test_shares": {
        "round": ("INTEGER", "round that was evaluated, as in `evals`"),
        "device": ("TEXT", "device whose model was measured"),
        "samples": ("INTEGER", "test samples of its own share"),
        "correct": ("INTEGER", "right answers among them, of the model that it has"),
    },
}
"""What evaluations counted, in whole numbers, with the uplink codec in between as in `evals`."""

BY_ROUND = SUMS | MEASURED
"""What is told of each round and holds for every clock."""

LINK_USE: dict[str, dict[str, tuple[str, str]]] = {
    "link_use": {
        "link": ("TEXT", "medium of an access network (`campus/up`), or a wire and its way (`core a->b`)"),
        "offered_bits": ("REAL", "bits that were to cross it"),
        "carried_bits": ("REAL", "bits that it has carried"),
        "lost_bits": ("REAL", "bits that were lost on it, or given up"),
        "in_flight_bits": ("REAL", "bits that were still to come when the run ended"),
        "busy_s": ("REAL", "time that it would have worked at full capacity"),
        "limited_s": ("REAL", "for how long it bound the rates of transfers, summed over them"),
        "background_bits": ("REAL", "those of `carried_bits` that were of background traffic"),
    },
}
"""What each direction of a link has carried in the whole run, written when it has ended."""

MOVES: dict[str, dict[str, tuple[str, str]]] = {
    "handovers": {
        "device": ("TEXT", "device that went from one station to another"),
        "at_s": ("REAL", "when it did"),
        "source": ("TEXT", "the station that had served it"),
        "target": ("TEXT", "the one that serves it from then on"),
        "source_dbm": ("REAL", "received power (RSRP, filtered) of `source` that decided it"),
        "target_dbm": ("REAL", "the same of `target`"),
        "interruption_s": ("REAL", "for how long no bit of it crossed the air from then on"),
        "is_ping_pong": ("INTEGER", "1 if it had left `target` less than a second before, else 0"),
        "carried_bits": ("REAL", "what was left of its transfers under way, and went along"),
    },
    "trajectories": {
        "device": ("TEXT", "device that moves"),
        "at_s": ("REAL", "one of a few hundred instants of the run at most, equally far apart"),
        "x_m": ("REAL", "where it was, to the east"),
        "y_m": ("REAL", "where it was, to the north"),
        "station": ("TEXT", "the station that served it"),
        "up_rate_bps": ("REAL", "its mean rate up there, with the whole medium to itself"),
        "down_rate_bps": ("REAL", "its mean rate down there, with the whole medium to itself"),
    },
}
"""Who went where and to which station, where devices move, written when the run has ended."""

ENERGY: dict[str, dict[str, tuple[str, str]]] = {
    "energy": {
        "host": ("TEXT", "device or server"),
        "compute_j": ("REAL", "energy of computing, codecs included"),
        "codec_j": ("REAL", "the part of it that encoding and decoding took, of smashed data and of models"),
        "transmit_j": ("REAL", "energy of sending: the radio's electronics and what it radiated"),
        "receive_j": ("REAL", "energy of receiving"),
        "idle_j": ("REAL", "energy that the host draws whatever it does, while it is up"),
        "total_j": ("REAL", "all of these but `codec_j`"),
        "busy_s": ("REAL", "time that the processor worked"),
        "up_s": ("REAL", "time that the host was up"),
    },
    "spent": {
        "round": ("INTEGER", "round that was evaluated, from 0"),
        "at_s": ("REAL", "when it was, as in `evals`"),
        "devices_j": ("REAL", "what all devices together had drawn until then; work under way not yet"),
        "server_j": ("REAL", "what the server and its station had"),
    },
}
"""What each host drew in the whole run, written when it has ended; and what was drawn until evaluations."""

ASIDES: dict[str, dict[str, tuple[str, str]]] = {
    "asides": {
        **PLACE,
        "what": ("TEXT", "the effect, or what became of the task: `failed`, `idle`"),
        "told": ("TEXT", "its fields, as JSON"),
    },
}
"""Effects that leave no row elsewhere or not all of them, and how tasks ended that did not end well."""

TABLES |= BY_ROUND | LINK_USE | MOVES | ENERGY | ASIDES
_FOLLOWS = AIR | BY_ROUND | LINK_USE | MOVES | ENERGY | ASIDES
DIGESTED = tuple(table for table in TABLES if table not in _FOLLOWS)
"""What happened. Air and movement follow from the scenario, sums from what was sent, energy from both; of
what evaluations counted, `evals` tells."""
