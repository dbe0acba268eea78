"""Makes the pictures of README anew: the idea, of a run made for it, and the report of a run.

    python tools/write_readme_pictures.py             # docs/images/idea.svg
    python tools/write_readme_pictures.py RUN         # docs/images/report.png, of the run's report

The idea needs MNIST and half a minute; the report a Chromium (CHROMIUM, or the first one on the path) and
playwright, of the extra `browser`.
"""

import os
import shutil
import sys
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
)
"""Four devices apart in speed and place, so that all of it can be seen: work, air, server and accuracy."""
WIDE, HIGH = 1100, 760  # pixels of the report that are shown


def idea(target: Path) -> None:
    """Run the idea's scenario, and draw it as a moving picture."""
    with tempfile.TemporaryDirectory() as folder:
        sf.run("quick", *IDEA, out=Path(folder) / "idea", threads=1, progress=False)
        command(["trace", f"{folder}/idea", "--svg", str(target)])


def report(run: str, target: Path) -> None:
    """Write the report of `run`, and take a picture of how it begins."""
    from playwright.sync_api import sync_playwright

    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as player:
        command(["report", run, "--out", f"{folder}/report.html"])
        page = player.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
            viewport={"width": WIDE, "height": HIGH}, color_scheme="light", reduced_motion="reduce"
        )
        page.goto(f"file://{folder}/report.html")
        page.wait_for_timeout(2000)  # until the charts are there
        page.screenshot(path=target)


def main() -> int:
    """Make one of the two."""
    if len(sys.argv) > 1:
        report(sys.argv[1], IMAGES / "report.png")
    else:
        idea(IMAGES / "idea.svg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
