"""One page in HTML about a result, or about several runs."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from slfac_sim.analysis.results import Result
from slfac_sim.api._common import Place, path_of, plainly

Reported = Result | Place


@plainly
def report(results: Reported | Iterable[Reported], out: Place | None = None) -> Path:
    """Write one page about a run, a study or an answer, or about several runs side by side; return the file.

        sf.report([run, slow], "compared.html")

    Each is a result, or the folder of one. Without `out` the page is ``report.html`` in the folder, of
    several runs in the working folder. It needs no network to be looked at.
    """
    from slfac_sim.analysis.report.make import write_report

    given = [results] if isinstance(results, Result | str | PathLike) else list(results)
    folders = [each.folder if isinstance(each, Result) else Path(each) for each in given]
    return write_report(folders, path_of(out))
