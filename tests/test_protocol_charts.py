"""docs/protocols.md: its charts are what the generators yield, and every protocol is there."""

import re
from collections.abc import Iterator

import pytest
from write_protocol_charts import FAMILY, PAGE, chart, course_of, lines_of, messages, renewed

from slfac_sim.effects import Compute, Note, Offer, Send, Together
from slfac_sim.foundation.plugins import kinds
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.observer import observed_by

TEXT = PAGE.read_text(encoding="utf-8")
HOST = r"(?:server|cloud|edge\d|d\d{3})"
LINE = re.compile(
    rf"participant {HOST}|Note over {HOST}: [^;#:]+|{HOST}->>{HOST}: [^;#:]+|par|and|end", re.ASCII
)


def test_the_page_is_up_to_date() -> None:
    assert renewed(TEXT) == TEXT, "run: python tools/write_protocol_charts.py"


def charts() -> Iterator[list[str]]:
    for text in re.findall(r"^```mermaid\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        yield text.splitlines()


def test_every_protocol_has_a_section_and_a_chart() -> None:
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    drawn = {section.split("\n", 1)[0] for section in sections if "```mermaid" in section}
    assert drawn == set(kinds(FAMILY))


def test_every_line_is_one_that_mermaid_knows() -> None:
    """Blocks are closed, hosts are declared before they act, no text has a sign with a meaning of its own."""
    seen = 0
    for first, *lines in charts():
        assert first == "sequenceDiagram"
        declared, depth = set(), 0
        for line in map(str.strip, lines):
            assert LINE.fullmatch(line), line
            assert not re.search(r"\bend\b", line) or line == "end"
            hosts = re.findall(HOST, line.split(":", 1)[0])
            if line.startswith("participant"):
                declared |= set(hosts)
            assert declared.issuperset(hosts), line
            depth += (line == "par") - (line == "end")
            assert depth >= (line == "and")
        assert depth == 0
        seen += 1
    assert seen >= len(kinds(FAMILY))


@pytest.mark.parametrize("name", kinds(FAMILY))
def test_a_chart_leaves_out_no_transfer_and_no_work(name: str) -> None:
    course = course_of(name)
    effects = [effect for task in course.tasks.values() for effect in task]
    text = "\n".join(chart(course))
    arrows = sum(
        len(one.dst) if isinstance(one.dst, tuple) else 1 for one in effects if isinstance(one, Send)
    )
    assert text.count("->>") == arrows
    noted = ", ".join(re.findall(r"Note over \w+: (.*)", text)).split(", ")
    work = [one.what for one in effects if isinstance(one, Compute | Offer)]
    assert len([one for one in noted if not re.match(r"(gather|evaluation|round) \d", one)]) == len(work)


def test_a_protocol_drawn_by_hand() -> None:
    """Tasks side by side, one within another, a multicast, and work without a break in one note."""
    from write_protocol_charts import Course

    def one(host: str):  # type: ignore[no-untyped-def]
        yield Compute(host, 1.0, lambda: None, "forward")
        yield Compute(host, 1.0, lambda: None, "encode")
        yield Note("steps", {})
        yield Send(host, "server", {"a": None, "b": None})  # type: ignore[dict-item]
        yield Offer("server", "q", 0, host, lambda items: items, 1.0, 2, "train", wait_s=0.5)

    def protocol():  # type: ignore[no-untyped-def]
        yield Together([one("d000"), one("d001")])
        yield Together([one_task()])
        yield Send("server", ("d000", "d001"), {"c": None})  # type: ignore[dict-item]

    def one_task():  # type: ignore[no-untyped-def]
        yield Compute("server", 1.0, lambda: None, "average")

    course = Course()
    InstantPlayer().play(observed_by(course, protocol()))
    branches = [
        [
            f"    Note over {host}: forward, encode",
            f"    {host}->>server: a + b",
            "    Note over server: gather 2 or 0.5 s, train",
        ]
        for host in ("d000", "d001")
    ]
    assert lines_of(course, "") == [
        "par", *branches[0], "and", *branches[1], "end",
        "Note over server: average",
        "server->>d000: c (one multicast)", "server->>d001: c (one multicast)",
    ]  # fmt: skip
    assert messages(course) == "a + b ↑, c ↓"
