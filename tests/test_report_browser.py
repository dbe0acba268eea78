"""The page of a report in a real browser: accessible, offline, usable by keyboard, on a phone, on paper."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from report_pages import SECTIONS, browser
from run_folders import fake_run
from study_folders import fake_study

from slfac_sim.analysis.report.blocks import Chart
from slfac_sim.analysis.report.make import write_report
from slfac_sim.analysis.report.page import page as page_of
from slfac_sim.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

TINY = str(Path(__file__).with_name("tiny.yaml"))
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
}


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a page with every kind of block, one without charts, which is open at once, and real ones."""
    folder = tmp_path_factory.mktemp("pages")
    bare = [
        replace(part, blocks=[each for each in part.blocks if not isinstance(each, Chart)])
        for part in SECTIONS
    ]
    for name, parts in (("every kind", SECTIONS), ("no charts", bare)):
        (folder / name).with_suffix(".html").write_text(page_of(name, parts, "made up"), encoding="utf-8")
    return {
        "every kind": folder / "every kind.html",
        "no charts": folder / "no charts.html",
        "a run": write_report(live(folder / "run")),
        "a damaged run": write_report(fake_run(folder / "damaged")),
        "a study": write_report(fake_study(folder / "study")),
        "long names": write_report(long_names(folder / "codecs", {"codec": CODECS})),
        "long names along x": write_report(
            long_names(folder / "protocols", {"codec": CODECS[:4], "protocol": PROTOCOLS})
        ),
    }


PROTOCOLS = [f"protocol {i} with a name that nobody would have made as long as this one" for i in range(9)]
CODECS = ["raw", *(f"slfac_{i}" for i in range(11))]


def long_names(folder: Path, axes: dict[str, list[str]]) -> Path:
    """Write a study of which lines, and values of axes, have names of up to 90 letters."""

    def renamed(point: dict[str, Any]) -> None:
        codec = point["axes"]["codec"]
        if codec != "raw":
            words = "up FC-SL (our reading), 1 of 4 columns, down uniform 4 bit, plane, on the support"
            point["label"] = f"{words} {codec.removeprefix('slfac_')}"

    return fake_study(folder, axes=axes, change=renamed)


def live(folder: Path) -> Path:
    """Play the tiny scenario, watched by the laws of `--strict`; return its folder."""
    assert main(["run", TINY, "--strict", "--quiet", "--out", str(folder)]) == 0
    return folder


class Opened:
    """A page in the browser, and what went wrong in it."""

    def __init__(self, context: "BrowserContext", file: Path) -> None:
        self.faults: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(file.as_uri())
        self.page.locator("body").wait_for()

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"asked for {url}")

    def draw_all(self) -> "Page":
        """Go through the page from top to bottom, so that all of it is drawn, and return it."""
        self.page.evaluate(
            "document.querySelectorAll('details.fold').forEach((each) => { each.open = true; })"
        )
        for figure in self.page.locator("figure").all():
            figure.scroll_into_view_if_needed()
        for plot in self.page.locator(".plot").all():
            plot.locator("svg").first.wait_for(state="attached")
        self.page.evaluate("scrollTo(0, 0)")
        return self.page


@pytest.fixture
def opened(request: pytest.FixtureRequest, chromium: "Browser", files: dict[str, Path]) -> Iterator[Opened]:
    """Open the page and on the screen that the test names: ("no charts", "light") where it names none."""
    name, screen = getattr(request, "param", ("no charts", "light"))
    context = chromium.new_context(**SCREENS[screen], service_workers="block")
    yield Opened(context, files[name])
    context.close()


WITH_CHARTS = pytest.mark.parametrize("opened", [("every kind", "light")], indirect=True, ids="-".join)
EVERYWHERE = pytest.mark.parametrize(
    "opened",
    [
        *(("every kind", screen) for screen in SCREENS),
        *(("a run", screen) for screen in ("dark", "phone")),
        *(("a study", screen) for screen in ("light", "phone")),
        ("a damaged run", "phone"),
    ],
    indirect=True,
    ids="-".join,
)


@EVERYWHERE
def test_nothing_is_fetched_nothing_fails_nothing_is_wider_and_axe_finds_nothing(opened: Opened) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="the extra `browser` is not installed"
    )
    page = opened.draw_all()
    found = axe.Axe().run(page).response["violations"]
    assert [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found] == []
    assert opened.faults == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


LONG = pytest.mark.parametrize(
    "opened",
    [(name, screen) for name in ("long names", "long names along x") for screen in ("light", "phone")],
    indirect=True,
    ids="-".join,
)


@LONG
def test_charts_of_long_names_are_drawn_with_room_and_all_of_their_legend(opened: Opened) -> None:
    page = opened.draw_all()
    assert opened.faults == []
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 4
    for title, width, height, hidden in sizes:
        assert width > 90, title
        assert height > 150, title
        assert hidden < 1, title
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


SIZES = """[...document.querySelectorAll('figure.chart')].map((figure) => {
  const { _size, legend, showlegend } = figure.querySelector('.plot')._fullLayout;
  const hidden = showlegend ? legend._height - legend._effHeight : 0;
  return [figure.querySelector('h3').textContent, _size.w, _size.h, hidden];
})"""


@pytest.mark.parametrize("opened", [("a run", "light"), ("a study", "light")], indirect=True, ids="-".join)
def test_axes_say_percent_as_texts_do(opened: Opened) -> None:
    """d3, which writes the ticks, knows 97% alone."""
    ticks = opened.draw_all().locator(".xtick text, .ytick text, .cbaxis text").all_text_contents()
    shares = [tick for tick in ticks if "%" in tick]
    assert "100 %" in shares
    assert [tick for tick in shares if not tick.endswith(" %")] == []


@pytest.mark.parametrize("opened", [("a run", "light"), ("a study", "light")], indirect=True, ids="-".join)
def test_a_sound_folder_is_shown_whole(opened: Opened) -> None:
    assert opened.page.locator(".damage").all_inner_texts() == []
    assert opened.page.locator("section").count() > 4


def test_a_request_of_the_page_itself_is_refused(opened: Opened) -> None:
    refused = opened.page.evaluate("fetch('https://example.org').then(() => 'went', () => 'refused')")
    image = "new Promise((done) => { const i = new Image(); i.onload = () => done('went'); "
    image += "i.onerror = () => done('refused'); i.src = 'https://example.org/a.png'; })"
    assert [refused, opened.page.evaluate(image)] == ["refused", "refused"]
    assert any("Content Security Policy" in fault for fault in opened.faults)


def test_a_table_is_sorted_by_keyboard_numbers_as_numbers_and_what_has_none_last(opened: Opened) -> None:
    page = opened.page
    region = page.get_by_role("group", name="Devices", exact=True)
    button = region.get_by_role("button", name="distance")
    column = "rows => rows.map((row) => row.cells[1].textContent)"
    button.focus()
    page.keyboard.press("Enter")
    head = region.locator("th[aria-sort]")
    assert head.get_attribute("aria-sort") == "ascending"
    assert region.locator("tbody tr").evaluate_all(column) == ["0 m", "7 m", "14 m", "21 m", "not seen"]
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert region.locator("tbody tr").evaluate_all(column) == ["21 m", "14 m", "7 m", "0 m", "not seen"]


def test_a_long_table_is_filtered_and_says_how_many_are_left(opened: Opened) -> None:
    opened.page.get_by_role("searchbox", name="Filter: Sixty devices").fill("d01 m")
    rows = opened.page.get_by_role("group", name="Sixty devices").locator("tbody tr:visible")
    assert rows.count() == 10
    assert opened.page.get_by_text("10 of 60 rows").is_visible()


def test_a_timeline_is_scrubbed_by_arrows_and_says_what_is_done_then(opened: Opened) -> None:
    figure = opened.page.locator("figure.timeline").first
    cursor = figure.get_by_role("slider")
    cursor.focus()
    assert "computing" in figure.locator(".now").inner_text()
    for _ in range(300):  # of 500: 6 s of 10
        opened.page.keyboard.press("ArrowRight")
    assert cursor.get_attribute("aria-valuetext") == "6.00 s"
    assert figure.locator(".now").inner_text().count("sending") == 4
    opened.page.keyboard.press("End")
    assert figure.locator(".now").inner_text().count("nothing") == 4
    figure.get_by_role("status").filter(has_text="d003: nothing").wait_for(state="attached")


def test_a_timeline_is_zoomed_by_buttons_and_by_a_drag(opened: Opened) -> None:
    figure = opened.page.locator("figure.timeline").first
    cursor, scene = figure.get_by_role("slider"), figure.locator(".scene")
    figure.get_by_role("button", name="Zoom in").click()
    cursor.press("End")
    assert cursor.get_attribute("aria-valuetext") == "5.00 s"
    figure.get_by_role("button", name="All of it").click()
    box = scene.bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + box["width"] - 200, box["y"] + 20)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20, steps=3)
    opened.page.mouse.up()
    cursor.press("Home")
    assert float((cursor.get_attribute("aria-valuetext") or "").split()[0]) > 5.0


def test_a_crowd_is_told_by_its_shares(opened: Opened) -> None:
    now = opened.page.locator("figure.timeline").nth(1).locator(".now")
    assert "1,000 devices: 75 % computing 25 % sending" in " ".join(now.inner_text().split())


@WITH_CHARTS
def test_the_theme_is_chosen_by_a_button_recolours_charts_and_is_remembered(opened: Opened) -> None:
    page = opened.draw_all()
    line = "getComputedStyle(document.querySelector('.plot .js-line')).stroke"
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(f"[{line}, {paper}]")
    page.get_by_role("button", name="Dark").click()
    after = page.evaluate(f"[{line}, {paper}]")
    assert all(old != new for old, new in zip(before, after, strict=True))
    page.reload()
    assert page.evaluate(paper) == after[1]
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


@WITH_CHARTS
def test_a_chart_is_zoomed_by_a_drag_and_comes_back(opened: Opened) -> None:
    page = opened.draw_all()
    plot, reset = page.locator(".plot").first, page.get_by_role("button", name="Reset zoom")
    plot.scroll_into_view_if_needed()
    shown = "document.querySelector('.plot')._fullLayout.xaxis.range.slice()"
    before = page.evaluate(shown)
    assert not reset.is_visible()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 200, steps=4)
    page.mouse.up()
    reset.wait_for(state="visible")
    assert page.evaluate(shown) != before
    reset.click()
    page.wait_for_function(f"JSON.stringify({shown}) === '{str(before).replace(' ', '')}'")


def test_the_first_key_leads_past_the_contents(opened: Opened) -> None:
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "Skip to the report"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("opened", [("no charts", "phone")], indirect=True)
def test_contents_are_folded_on_a_phone_and_fold_again_when_one_is_chosen(opened: Opened) -> None:
    link = opened.page.get_by_role("navigation").get_by_role("link", name="Energy")
    assert not link.is_visible()
    opened.page.get_by_text("Contents", exact=True).tap()
    link.tap()
    assert not link.is_visible()
    assert opened.page.evaluate("location.hash") == "#broken"


@pytest.mark.parametrize("opened", [("every kind", "dark")], indirect=True)
def test_on_paper_all_is_light_unfolded_and_drawn(opened: Opened) -> None:
    page = opened.page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("button:visible").count() == 0
    heads = page.locator("thead th")
    assert heads.count() > 0
    assert all(
        heads.nth(place).evaluate("each => each.textContent && !each.children.length")
        for place in range(heads.count())
    )
    assert page.evaluate("[...document.querySelectorAll('.plot')].every((each) => each.querySelector('svg'))")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("theme.isDark()")
    assert page.locator("details:not([open])").count() > 0
    assert page.locator("thead th button").count() == heads.count()


@pytest.mark.parametrize("opened", [("every kind", "light")], indirect=True)
def test_a_table_wider_than_the_paper_is_printed_smaller_and_nothing_else_is(opened: Opened) -> None:
    page = opened.page
    page.evaluate(
        """() => {
          const row = document.querySelector("thead tr"), cells = document.querySelector("tbody tr");
          for (let n = 0; n < 30; n++) {
            row.append(Object.assign(document.createElement("th"), { textContent: `propagation${n}` }));
            cells.append(Object.assign(document.createElement("td"), { textContent: "1" }));
          }
        }"""
    )
    page.set_viewport_size({"width": 688, "height": 900})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    fits = page.evaluate(
        "[...document.querySelectorAll('table')].map((each) => Number(each.style.getPropertyValue('--fit')))"
    )
    assert fits[0] < 0.9
    assert set(fits[1:]) <= {1}
