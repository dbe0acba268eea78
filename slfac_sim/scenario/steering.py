"""Whether timing steers what a scenario learns: then nothing learnt on one clock holds on another."""

from slfac_sim.foundation.plugins import kind_of
from slfac_sim.hosts.settings import Devices, Server
from slfac_sim.scenario.hosts import paths_of
from slfac_sim.scenario.schedule import Schedule
from slfac_sim.scenario.schema import AUTO, PER_DEVICE, Scenario


def steered(scenario: Scenario) -> str | None:
    """Return why another network, other speeds or another draw of the air could change what is learnt.

    None where nothing but bytes, work and order reach learning. Deadlines, choices by speed, networks that
    lose, hosts that come and go and batteries are reasons; so is a protocol that does not say.
    """
    protocol, steers = kind_of(scenario.protocol), scenario.protocol.timing_steers_learning
    if steers is None:
        return f"the protocol {protocol} does not say whether timing steers learning (timing_steers_learning)"
    if steers:
        return f"timing steers learning in the protocol {protocol}"
    if cut_is_open(scenario):
        return f"speeds and rates choose where the model is cut (cut: {scenario.cut})"
    if scenario.network.may_lose:
        return f"{scenario.network.what_loses} may lose transfers"
    return why_down(scenario)


def cut_is_open(scenario: Scenario) -> bool:
    """Return whether the cut of `scenario` is still to be chosen, and matters."""
    return scenario.cut in (AUTO, PER_DEVICE) and cuts_a_model(scenario)


def cuts_a_model(scenario: Scenario) -> bool:
    """Return whether the protocol of `scenario` has models cut."""
    return bool(scenario.protocol.cuts_models)


def exchanges_models(scenario: Scenario) -> bool:
    """Return whether the protocol of `scenario` has models, or halves of them, sent to and fro."""
    schedule: Schedule | None = scenario.protocol.schedule
    return schedule is None or schedule.models != "kept"


def why_down(scenario: Scenario) -> str | None:
    """Return why a host can be down in a run of `scenario`; None if all are always up."""
    hosts: dict[str, Devices | Server] = {"devices": scenario.devices, **paths_of(scenario)}
    for path, host in hosts.items():
        if host.availability.may_go_down:
            return f"{path} may be down ({path}.availability), and when is a matter of time"
    if scenario.devices.battery is not None:
        return "devices have a battery (devices.battery), and one that is empty takes its device out"
    return None


def work_needs_speed(scenario: Scenario) -> bool:
    """Return whether the work of devices, which is on record in FLOPs, depends on the settings of speeds."""
    return bool(scenario.devices.speed.sets_work) or scenario.devices.memory_bandwidth is not None
