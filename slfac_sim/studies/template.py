"""A study of one's own to begin with, with what each setting is and the defaults that are left."""

import dataclasses
from collections.abc import Iterator

from slfac_sim.foundation.descriptions import descriptions
from slfac_sim.scenario.template import comment_lines, setting_line
from slfac_sim.studies.study import Study

_SAID = {
    "base": "quick",
    "axes": {"network.bandwidth": ["2 MHz", "5 MHz", "20 MHz"], "codec": ["raw", "slfac"]},
    "seeds": 1,
}
_LIKELY = ("overrides", "air_seeds", "targets")


def study_text(name: str) -> Iterator[str]:
    """Yield the lines of a study `name` of two codecs at three bandwidths: 6 points, 2 trainings."""
    about = descriptions(Study)
    defaults = {field.name: field.default for field in dataclasses.fields(Study)}
    yield "# Two codecs at three bandwidths: 6 points of 2 trainings, since learning sees no bandwidth."
    for key, value in {"name": name, **_SAID}.items():
        yield from ("", *comment_lines(about[key]))
        if isinstance(value, dict):
            yield f"{key}:"
            yield from (setting_line(inner, item, "  ") for inner, item in value.items())
        else:
            yield setting_line(key, value)
    for key in _LIKELY:
        default = defaults[key]
        yield from ("", *comment_lines(about[key]))
        yield setting_line(key, [*default] if isinstance(default, tuple) else default, "#")
