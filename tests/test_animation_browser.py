"""The moving picture in a real browser: on the clock, and still where less motion is asked for."""

from pathlib import Path

import pytest
from report_pages import browser
from timelines import worked_by_hand

from slfac_sim.analysis.animation.keyframes import MOVING
from slfac_sim.analysis.animation.picture import svg
from slfac_sim.analysis.animation.scene import scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AT = """at => {
  const all = document.getAnimations();
  all.forEach(each => { each.pause(); each.currentTime = at * each.effect.getTiming().duration; });
  return [...document.querySelectorAll('.p')].filter(each => getComputedStyle(each).opacity > 0.5)
    .map(each => { const box = each.getBoundingClientRect();
      return [each.querySelector('rect').getAttribute('class'), (box.left + box.right) / 2]; });
}"""


def test_packets_are_where_the_ledger_says_and_stand_still_when_asked(tmp_path: Path) -> None:
    """Of the round of docs/design.md: at 0.63 s the first packet, from 0.25 to 1.01 s, is half the way."""
    shown = scene("by hand", worked_by_hand())
    (tmp_path / "picture.svg").write_text(svg(shown), encoding="utf-8")
    with browser() as chromium:
        for motion in ("no-preference", "reduce"):
            page = chromium.new_page(viewport={"width": 860, "height": 600}, reduced_motion=motion)
            page.goto((tmp_path / "picture.svg").as_uri())
            moving = page.evaluate("document.getAnimations().length")
            under_way = page.evaluate(AT, 0.01 * MOVING * 0.63 / shown.until_s)
            if motion == "reduce":
                assert moving == 0
                assert len(under_way) == 3
                continue
            assert moving > 20
            assert [look for look, _ in under_way] == ["up", "up"]  # d002's, and d001's since 0.5 s
            assert sorted(x for _, x in under_way)[-1] == pytest.approx(282 + 163, abs=4)
