"""From a folder to its page; the page is written beside what it is of."""

from pathlib import Path

from slfac_sim.analysis.report.page import page, sections
from slfac_sim.analysis.studies.reading import is_study, load_study
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import write_text
from slfac_sim.ledger.folder import load

PAGE = "report.html"


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Write the report of the run or of the study in `folder`; return the file.

    Its default is ``report.html`` in the folder. Raises `BadInput`.
    """
    html = report_of(folder)
    target = out or folder / PAGE
    try:
        write_text(target, html)
    except OSError as error:
        raise BadInput(f"{target}: cannot write the report ({error.strerror})") from error
    return target


def report_of(folder: Path) -> str:
    """Return the page of the run or of the study in `folder`. Raises `BadInput`."""
    if is_study(folder):
        study = load_study(folder)
        return page(study.name, list(sections("slfac_sim.analysis.report.study", study)))
    run = load(folder)
    return page(run.summary["scenario"], list(sections("slfac_sim.analysis.report.run", run)))
