"""Makes the pictures of README anew, both of one run: docs/images/idea.svg, and report.png of its report.

    python tools/write_readme_pictures.py

It needs MNIST and half a minute; and for the report a Chromium (CHROMIUM, or the first one on the path) and
playwright, of the extra `browser`.
"""

import os
import shutil
import tempfile
from pathlib import Path

import slfac_sim as sf
from slfac_sim.cli import main as command

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
IDEA = (
    "name=idea",
    "model={kind: lenet}",
    "cut=auto",
    "devices={count: 4, speed: {kind: log_normal, median: 0.5 GFLOP/s, sigma: 0.5}}",
    "server.speed=3 GFLOP/s",
    "learning={batch: 128, optimiser: {kind: adam, learning_rate: 0.01}}",
    "protocol={kind: parallel, rounds: 8, steps: 2}",
    "network={kind: cell, bandwidth: 2 MHz, radius: 600 m}",
    "evaluation.targets=[0.5, 0.7, 0.8]",
)
"""Four devices apart in speed and place, so that all of it can be seen: work, air, server and accuracy."""
SCREEN = {"width": 1100, "height": 868}
EXCERPT = "main section:not(#answer, #timeline), #answer h3, #answer .rows { display: none }"
AT_AN_INSTANT = """for (const slider of document.querySelectorAll("#timeline input[type=range]")) {
  slider.value = 0.4 * slider.max; slider.dispatchEvent(new Event("input", {bubbles: true})); }"""


def report(run: Path, target: Path) -> None:
    """Write the report of `run`, and take a picture of its answer and of its timeline at an instant."""
    from playwright.sync_api import sync_playwright

    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    command(["report", str(run)])
    with sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport=SCREEN, color_scheme="light", reduced_motion="reduce")
        page.goto((run / "report.html").as_uri())
        page.add_style_tag(content=EXCERPT)
        page.evaluate(AT_AN_INSTANT)
        page.wait_for_timeout(1000)  # until it is drawn
        page.screenshot(path=target)


def main() -> int:
    """Run the idea's scenario, and make both."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "idea"
        sf.run("quick", *IDEA, out=run, threads=1, strict=True, progress=False)
        command(["trace", str(run), "--svg", str(IMAGES / "idea.svg")])
        report(run, IMAGES / "report.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
