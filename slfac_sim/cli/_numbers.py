"""Numbers as the tables of the command line write them."""


def number(value: float | None) -> str:
    """Return `value` with one decimal, or a dash where there is none."""
    return "-" if value is None else f"{value:,.1f}"


def percent(share: float) -> str:
    """Return ``97 %`` for 0.97, with four digits at most."""
    return f"{100 * share:.4g} %"
