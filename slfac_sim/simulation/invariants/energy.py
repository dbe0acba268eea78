"""Energy is power x time: of every transfer by its sender's power, of every host by what it did."""

from collections import defaultdict
from typing import Any

from slfac_sim.hosts.machines import machines
from slfac_sim.hosts.power import Power
from slfac_sim.scenario.hosts import servers_of
from slfac_sim.simulation.invariants.accesses import Accesses
from slfac_sim.simulation.invariants.air import CRUMB_S
from slfac_sim.simulation.invariants.laws import PART, Laws, rounding_s

LAW = "energy = power x time"


class EnergyLaws(Laws):
    """Adds up from the rows what each host did, and compares it with the table `energy`.

    A radio is on the air at full power, if at all, so that no transfer radiates more than that for as long
    as it lasted; where senders take turns at full power it is that power x its airtime, to the last joule.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._accesses = Accesses(self.scenario)
        owned = machines(self.scenario.devices, self.scenario.seed.air)
        self._powers: dict[str, Power] = {name: machine.power for name, machine in owned.items()}
        self._powers |= {name: server.power for name, server in servers_of(self.scenario).items()}
        self._worked: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._perhaps: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._sent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Add a row up; in the end each host's account must be the same."""
        self._accesses.row(table, row)
        if table == "transfers":
            if self._accesses.on_air(row):
                self._radiated(row)
            sent = self._sent[row["src"]]
            sent[0] += row["airtime_s"]
            sent[1] += row["energy_j"]
        elif table == "computes" and row["end_s"] > row["start_s"]:
            surely = row["outcome"] == "done" or row["start_s"] > row["asked_s"]
            stretches = self._worked if surely else self._perhaps  # cut short at work, or while it queued
            stretches[row["host"]].append((row["start_s"], row["end_s"]))
        elif table == "energy":
            self._account(row)

    def _radiated(self, row: dict[str, Any]) -> None:
        networks = self._accesses.of(row)
        senders = [self._accesses.senders(name, row) for name in networks]
        powers_w = [power_w for name in networks if (power_w := self._power_w(name, row)) is not None]
        if len(powers_w) < len(networks):
            return
        power_w = sum(power * count for power, count in zip(powers_w, senders, strict=True))
        most_j = power_w * (row["last_bit_s"] - row["start_s"])
        place = f"transfers, effect {row['seq']} of task '{row['task']}'"
        figures = f"{row['energy_j']!r} J radiated, at most {most_j!r} J"
        slack_j = PART * most_j + power_w * (CRUMB_S + rounding_s(row["last_bit_s"]))
        self.hold(LAW, 0.0 <= row["energy_j"] <= most_j + slack_j, place, figures)
        settings, up = self._accesses.settings(networks[0]), self._accesses.is_up(row)
        if len(networks) == 1 and settings.shared.in_turn and not (up and settings.controls_power):
            due_j = powers_w[0] * row["airtime_s"]
            held = abs(row["energy_j"] - due_j) <= PART * due_j
            figures = f"{row['energy_j']!r} J radiated, {powers_w[0]:g} W x {row['airtime_s']!r} s"
            self.hold(LAW, held, place, figures)

    def _power_w(self, network: str, row: dict[str, Any]) -> float | None:
        device_w, station_w = self._accesses.settings(network).radiates_w
        return device_w if self._accesses.is_up(row) else station_w

    def _account(self, row: dict[str, Any]) -> None:
        host = row["host"]
        power = self._powers[host]
        airtime_s, radiated_j = self._sent[host]
        due = {
            "compute_j": power.compute * row["busy_s"],
            "transmit_j": power.transmit * airtime_s + radiated_j,
            "idle_j": power.idle * row["up_s"],
            "total_j": row["compute_j"] + row["transmit_j"] + row["receive_j"] + row["idle_j"],
        }
        for name, joules in due.items():
            figures = f"{name} {row[name]!r}, due {joules!r}"
            self.hold(LAW, row[name] == joules, f"energy of {host}", figures)
        least_s = _covered(self._worked[host])
        most_s = _covered(self._worked[host] + self._perhaps[host])
        busy_s, up_s = row["busy_s"], row["up_s"]
        slack_s = rounding_s(self.watch.now_s, 1 + len(self._worked[host]) + len(self._perhaps[host]))
        held = least_s - slack_s <= busy_s <= min(most_s, up_s) + slack_s
        figures = f"busy {busy_s!r} s of {up_s!r}, by its computes {least_s!r} to {most_s!r}"
        self.hold(LAW, held, f"energy of {host}", figures)
        figures = f"codec_j {row['codec_j']!r} of compute_j {row['compute_j']!r}"
        self.hold(LAW, row["codec_j"] <= row["compute_j"], f"energy of {host}", figures)


def _covered(stretches: list[tuple[float, float]]) -> float:
    """Return how long at least one of `stretches` lasted."""
    covered_s = end_s = 0.0
    for first_s, last_s in sorted(stretches):
        covered_s += max(0.0, last_s - max(first_s, end_s))
        end_s = max(end_s, last_s)
    return covered_s
