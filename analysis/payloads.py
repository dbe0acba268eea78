"""What is sent: the one name of each kind of payload, in figures, tables and closing lines."""

ACROSS = {"smashed_up": "up", "smashed_down": "down"}
"""The kinds that cross the first cut, and their directions."""

_NAMES = {
    "smashed_up": "activations, up",
    "smashed_down": "gradients, down",
    "middle_down": "activations of the body, down",
    "middle_up": "their gradients, up",
    "labels": "labels, up",
    "model_up": "models, up",
    "model_down": "models, down",
}


def kind_name(kind: str) -> str:
    """Return what a kind of payload of the ledger is called: ``activations, up`` for `smashed_up`."""
    return _NAMES.get(kind, kind)
