"""How the parts of the time and the lanes of a device's day look on a page, and what they mean."""

from slfac_sim.analysis.critical_path import (
    AIR_WAIT,
    AIRTIME,
    BARRIER,
    CODEC,
    DEVICE_COMPUTE,
    PROPAGATION,
    SERVER_COMPUTE,
    SERVER_QUEUE,
    SET_UP,
    WIRE_WAIT,
)
from slfac_sim.analysis.days import CODING, COMPUTE, DOWNLINK, SERVED, UPLINK, WAITS

_PALE = "color-mix(in srgb, {} 35%, transparent)"
_DEVICE, _CODEC, _SERVER = "var(--series-4)", "var(--series-9)", "var(--series-2)"
_AIR, _WIRE, _LATENCY, _SET_UP = "var(--series-6)", "var(--series-7)", "var(--series-5)", "var(--series-8)"
_WAITS = "var(--faint)"

PART_LOOKS = {
    DEVICE_COMPUTE: (_DEVICE, ""),
    CODEC: (_CODEC, "/"),
    SET_UP: (_SET_UP, "+"),
    AIR_WAIT: (_PALE.format(_AIR), "."),
    WIRE_WAIT: (_PALE.format(_WIRE), "-"),
    AIRTIME: (_AIR, ""),
    PROPAGATION: (_LATENCY, "\\"),
    SERVER_QUEUE: (_PALE.format(_SERVER), "x"),
    SERVER_COMPUTE: (_SERVER, ""),
    BARRIER: (_WAITS, "|"),
}
"""Colour and pattern of each part: what waits for something is paler than what has it."""

LANE_LOOKS = {
    COMPUTE: _DEVICE,
    CODING: _CODEC,
    UPLINK: "var(--up)",
    DOWNLINK: "var(--down)",
    SERVED: _SERVER,
    WAITS: _WAITS,
}
"""Colour of each lane of a device's day."""

MEANINGS = {
    DEVICE_COMPUTE: "a device works on its part of the model",
    CODEC: "a device or a server encodes or decodes",
    SET_UP: "a connection is set up, or a grant asked for, before the first bit",
    AIR_WAIT: "a transfer waits: others have the air, or the other direction, or its rate is 0",
    WIRE_WAIT: "a transfer waits for a wire that bounds its rate",
    AIRTIME: "a transfer has the air: what it would take alone",
    PROPAGATION: "from the last bit on the air to the bytes in the receiver's hands",
    SERVER_QUEUE: "work waits for the server, which is busy with other work",
    SERVER_COMPUTE: "the server steps or averages",
    BARRIER: "nothing is to be done until others come, or a deadline",
}
"""What each part of the time is, in a line."""
