"""Writes the charts of docs/protocols.md: what every protocol really does, as a message sequence chart.

Each protocol is played at once on a tiny scenario; the chart is drawn from the effects that it yields. A
test draws them again and compares: `python tools/write_protocol_charts.py` renews the file.
"""

import importlib
import inspect
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

from slfac_sim.effects import Compute, Effect, Note, Offer, Send, Together
from slfac_sim.foundation.citing import reference
from slfac_sim.foundation.descriptions import descriptions
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.foundation.roles import is_device
from slfac_sim.hosts.names import SERVER
from slfac_sim.protocols import LearningProtocol
from slfac_sim.runs.opening import build
from slfac_sim.scenario.files import read
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.observer import Observer, observed_by

FAMILY = "slfac_sim.protocols"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "protocols.md"

SCENARIO = """
name: chart
data: {kind: synthetic, train_samples: 24, test_samples: 4, size: 8, classes: 2}
partition: iid
model: {kind: small_cnn, width: 2}
cut: conv1
learning: {batch: 4, optimiser: {kind: sgd, learning_rate: 0.05}}
codec: raw
"""
ONE_SERVER = """
devices: {count: 2, speed: fixed}
network: {kind: ideal, up_rate: 8 Mbit/s, down_rate: 8 Mbit/s}
"""
EDGES = """
devices: {count: 3, speed: fixed}
servers: {edge1: 1 TFLOP/s, edge2: 1 TFLOP/s, cloud: 1 TFLOP/s}
network:
  kind: topology
  access:
    near: {network: ideal, devices: 2, server: edge1}
    far: {network: ideal, devices: 1, server: edge2}
  links:
    one: {between: [near, edge1], capacity: 1 Gbit/s, latency: 1 ms}
    two: {between: [far, edge2], capacity: 1 Gbit/s, latency: 1 ms}
    three: {between: [edge1, cloud], capacity: 1 Gbit/s, latency: 1 ms}
    four: {between: [edge2, cloud], capacity: 1 Gbit/s, latency: 1 ms}
"""
# Settings under which a protocol is drawn, where one mini-batch of two devices does not show enough of it.
SHOWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "clustered": (("devices.count=3", "protocol.cluster=2"),),
    "parallel": ((), ("protocol.server_step=arrival",)),
    "pipelined": (("protocol.steps=3",),),
}


MARK = "<!-- From here on written by tools/write_protocol_charts.py. -->"


@dataclass
class Course(Observer):
    """What a protocol asks for, task by task; `server` is the only one, or the cloud."""

    server: str = SERVER
    tasks: dict[str, list[Effect]] = field(default_factory=lambda: defaultdict(list))

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Write the effect down."""
        self.tasks[task].append(effect)


def renewed(page: str) -> str:
    """Return `page` with all that follows the mark written anew."""
    drawn = {name: [course_of(name, one) for one in SHOWN.get(name, ((),))] for name in kinds(FAMILY)}
    rows = [f"| [`{name}`](#{name}) | {messages(courses[0])} |" for name, courses in drawn.items()]
    head = ["| protocol | what the first device sends (↑) and gets (↓) in its chart |", "|---|---|"]
    sections = [section(name, courses) for name, courses in drawn.items()]
    by_hand = page.split(MARK)[0]
    schedules = ["", "## Schedules", "", *schedule_table(), ""]
    return by_hand + "\n".join([MARK, "", "## Messages", "", *head, *rows, *schedules, *sections])


def schedule_table() -> list[str]:
    """Return the table of what each protocol declares of its rounds, at its default settings."""
    lines = ["| protocol | learn at once | crossings | in flight | server steps on | models |"]
    lines.append("|---|---|---:|---:|---|---|")
    for name in kinds(FAMILY):
        schedule = find(FAMILY, name)().schedule
        everybody = "all" if schedule.cloud_every is None else "all, at each edge"
        at_once = "the server" if schedule.on_server else str(schedule.at_once or everybody)
        step = STEPS[schedule.server_step] if schedule.exchanges else "-"
        copies = ", and the server's copies" if schedule.averages_copies else ""
        models = schedule.models + copies + (", and edges at a cloud" if schedule.cloud_every else "")
        cells = (f"`{name}`", at_once, schedule.exchanges, schedule.in_flight, step, models)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


STEPS = {
    "cohort": "the cohort",
    "in turn": "each, when the cohort is there",
    "arrival": "each, as it comes",
    "batching": "a queue",
}


def section(name: str, courses: Sequence[Course]) -> str:
    """Return what is to be said of the protocol `name`, and a chart of each of `courses`."""
    plugin = find(FAMILY, name)
    module = importlib.import_module(plugin.__module__)
    said = [paragraph for text in (module.__doc__, plugin.__doc__) for paragraph in paragraphs(text or "")]
    said += filter(None, ["\n".join(own_settings(name))])
    said += [f"Source: {reference(key).text()}." for key in plugin.references]
    for shown, course in zip(SHOWN.get(name, ((),)), courses, strict=True):
        said += [f"With `{'`, `'.join(shown)}`:"] if shown else []
        said.append("\n".join(["```mermaid", *chart(course), "```"]))
    return "\n".join([f"## {name}", "", "\n\n".join(said), ""])


def own_settings(name: str) -> list[str]:
    """Return an item for each setting of the protocol `name`, with its default, that not all have alike."""
    plugin, usual = find(FAMILY, name), descriptions(find(FAMILY, "parallel"))
    own = {
        key: text
        for key, text in descriptions(plugin).items()
        if key not in LearningProtocol.__annotations__ or usual.get(key) != text
    }
    return [f"- `{key}`{default_of(getattr(plugin(), key))}: {text}" for key, text in own.items()]


def default_of(value: Any) -> str:
    """Return the default `value` of a setting in brackets; nothing for a group of settings."""
    return "" if is_dataclass(value) else f" ({'null' if value is None else value})"


def paragraphs(docstring: str) -> list[str]:
    """Return the paragraphs of `docstring`, filled anew."""
    blocks = inspect.cleandoc(docstring).split("\n\n")
    return [textwrap.fill(" ".join(block.split()), 118, break_on_hyphens=False) for block in blocks]


def course_of(name: str, shown: Sequence[str] = ()) -> Course:
    """Play one round of the protocol `name` under the settings `shown`; return what it asks for."""
    once = [f"{key}: 1" for key in ("rounds", "steps") if key in find(FAMILY, name).__dataclass_fields__]
    protocol = f"protocol: {{{', '.join([f'kind: {name}', *once])}}}\n"
    hosts = ONE_SERVER if find(FAMILY, name).servers == "one" else EDGES
    world = build(read(SCENARIO + hosts + protocol, "chart", shown))
    course = Course(world.server.name)
    InstantPlayer().play(observed_by(course, world.scenario.protocol.run(world)))
    return course


def messages(course: Course) -> str:
    """Return the payloads that the first device sends and gets, in the order in which it does."""
    found = []
    for effect in in_order(course, ""):
        if isinstance(effect, Send) and "d000" in (effect.src, *receivers(effect)):
            arrow = "↑" if effect.src == "d000" else "↓"
            found.append(f"{' + '.join(effect.payloads)} {arrow}")
    return ", ".join(found) or "nothing"


def in_order(course: Course, task: str) -> Iterator[Effect]:
    """Yield the effects of `task` and of all tasks below it, one task after the other."""
    for seq, effect in enumerate(course.tasks[task]):
        yield effect
        if isinstance(effect, Together):
            for child in children(task, seq, effect):
                yield from in_order(course, child)


def children(task: str, seq: int, effect: Together) -> list[str]:
    """Return the names of the tasks of `effect`, as the ledger knows them."""
    prefix = f"{task}/{seq}." if task else f"{seq}."
    return [f"{prefix}{place}" for place in range(len(effect.tasks))]


def receivers(effect: Send) -> tuple[str, ...]:
    """Return who gets what is sent."""
    return (effect.dst,) if isinstance(effect.dst, str) else effect.dst


def chart(course: Course) -> list[str]:
    """Return `course` as a mermaid sequence diagram."""
    hosts = {host for effect in in_order(course, "") for host in hosts_of(effect)} | {course.server}
    devices = sorted(filter(is_device, hosts))
    edges = sorted(hosts - {*devices, course.server})
    members = [f"participant {host}" for host in (*devices, *edges, course.server)]
    return ["sequenceDiagram", *(f"    {line}" for line in (*members, *lines_of(course, "")))]


def hosts_of(effect: Effect) -> tuple[str, ...]:
    """Return the hosts that `effect` names."""
    if isinstance(effect, Compute | Offer):
        return (effect.host,)
    return (effect.src, *receivers(effect)) if isinstance(effect, Send) else ()


def lines_of(course: Course, task: str) -> list[str]:
    """Return the lines of `task`; work of one host without a break is one note."""
    lines: list[str] = []
    host, work = "", []
    for seq, effect in enumerate(course.tasks[task]):
        found = work_of(effect, course.server)
        if found is not None and found[0] == host:
            work.append(found[1])
            lines[-1] = f"Note over {host}: {', '.join(work)}"
            continue
        if found is not None:
            host, work = found[0], [found[1]]
            lines.append(f"Note over {host}: {found[1]}")
            continue
        drawn = drawn_of(course, task, seq, effect)
        host, work = ("", []) if drawn else (host, work)
        lines += drawn
    return lines


def work_of(effect: Effect, server: str) -> tuple[str, str] | None:
    """Return the host that `effect` keeps busy, and with what; a note is the `server`'s."""
    if isinstance(effect, Compute):
        return effect.host, effect.what
    if isinstance(effect, Offer):
        waits = f" or {effect.wait_s:g} s" if effect.wait_s is not None else ""
        many = effect.max_items > 1 or waits
        return effect.host, f"gather {effect.max_items}{waits}, {effect.what}" if many else effect.what
    if isinstance(effect, Note) and effect.table == "evals":
        return server, f"evaluation {effect.row['round']}"
    if isinstance(effect, Note) and effect.table == "rounds":
        return server, f"round {effect.row['round']} is over"
    return None


def drawn_of(course: Course, task: str, seq: int, effect: Effect) -> list[str]:
    """Return the lines of a transfer or of tasks side by side; none for what only the ledger sees."""
    if isinstance(effect, Send):
        way = " (one multicast)" if len(receivers(effect)) > 1 else ""
        text = " + ".join(effect.payloads)
        return [f"{effect.src}->>{host}: {text}{way}" for host in receivers(effect)]
    if isinstance(effect, Together):
        branches = [lines_of(course, child) for child in children(task, seq, effect)]
        return side_by_side([branch for branch in branches if branch])
    return []


def side_by_side(branches: list[list[str]]) -> list[str]:
    """Return `branches` as one block, unless there is only one."""
    if len(branches) < 2:
        return [line for branch in branches for line in branch]
    lines = []
    for word, branch in zip(["par", *["and"] * len(branches)], branches, strict=False):
        lines += [word, *(f"    {line}" for line in branch)]
    return [*lines, "end"]


def main() -> None:
    """Write the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(kinds(FAMILY))} protocols\n")


if __name__ == "__main__":
    main()
