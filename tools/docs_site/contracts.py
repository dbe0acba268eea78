"""The Python API and the contracts of plug-ins, from their docstrings."""

import slfac_sim
from docs_site.settings import slugs
from slfac_sim.foundation.plugins import family_of

CLASSES = {
    "A run": ("slfac_sim.analysis.results.RunResult",),
    "A study": ("slfac_sim.analysis.study_result.StudyResult",),
    "An answer": ("slfac_sim.analysis.answer_result.Answer",),
}


def python() -> str:
    """Return the page of the Python API."""
    names = [name for name in slfac_sim.__all__ if name not in ("__version__", "analysis")]
    functions = [name for name in names if name.islower()]
    parts = [
        "# Python API",
        "`import slfac_sim as sf`: what the commands do, as functions that return what they found."
        " [Python](../python.md) shows them at work.",
        "## Functions",
        _rst("\n".join(f".. autofunction:: slfac_sim.{name}" for name in functions)),
        "## Results",
        _rst("\n".join(_autoclass(path) for paths in CLASSES.values() for path in paths)),
        _rst(".. autofunction:: slfac_sim.analysis.load\n.. autofunction:: slfac_sim.analysis.figure"),
        "## Other names",
        _rst("\n".join(_autoclass(f"slfac_sim.{name}") for name in names if name not in functions)),
    ]
    return "\n\n".join(parts) + "\n"


def contracts() -> str:
    """Return the page of what plug-ins of each family have to be."""
    parts = [
        "# Contracts of plug-ins",
        "What a plug-in of your own inherits from, or has the members of, family by family."
        " [Extending](../extending.md) has examples, written out.",
    ]
    for family, slug in slugs().items():
        contract = family_of(family).contract
        path = f"{contract.__module__}.{contract.__name__}"
        parts += [
            f"(contract-{slug})=\n## {slug}",
            f"A file in `{family}`, or one of your own.",
            _rst(_autoclass(path)),
        ]
    return "\n\n".join(parts) + "\n"


def _autoclass(path: str) -> str:
    return f".. autoclass:: {path}\n   :members:\n   :inherited-members: object,Exception,ValueError\n"


def _rst(text: str) -> str:
    return f"```{{eval-rst}}\n{text}\n```"
