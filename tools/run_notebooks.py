"""Runs the notebooks of examples/ and writes their outputs anew.

    python tools/run_notebooks.py [NAME ...]

Each runs in an empty folder of its own. What is stored tells nothing of the machine: no times of cells, no
host times, no paths. A notebook that ends in an error or a warning is left as it was.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
_OF_HOSTS = (
    (re.compile(r" · \d+:\d\d elapsed"), ""),
    (re.compile(r"\b\d{8}-\d{6}(-\d+)?\b"), "20261129-120000"),  # the name of a run's folder is its start
)
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def executed(path: Path, folder: Path) -> NotebookNode:
    """Return the notebook at `path` with the outputs of a run in `folder`; errors are outputs too."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    with tempfile.TemporaryDirectory() as sockets:  # files, where others would be ports
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        how = {"config": config, "allow_errors": True, "record_timing": False, "resources": where}
        NotebookClient(notebook, kernel_name="python3", timeout=300, **how).execute()
    return notebook


def faults(notebook: NotebookNode) -> Iterator[str]:
    """Yield what went wrong: errors, and all that was written to standard error, as warnings are."""
    for cell in _code(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                yield output.text


def cleaned(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Return a notebook that ran in `folder` without what another machine, or another day, would have."""
    notebook.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id, cell.metadata = f"cell-{number}", {}
    for cell in _code(notebook):
        for output in cell.outputs:
            for kind, text in output.get("data", {}).items():
                if isinstance(text, str) and kind.startswith("text/"):
                    output.data[kind] = _anywhere(text, folder)
            if "text" in output:
                output.text = _anywhere(output.text, folder)
    return notebook


def _anywhere(text: str, folder: Path) -> str:
    text = text.replace(f"{folder.resolve()}/", "")
    for pattern, instead in _OF_HOSTS:
        text = pattern.sub(instead, text)
    return text


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def main(names: list[str]) -> int:
    """Run the notebooks of these names, or all, and say what came of each."""
    status = 0
    for path in NOTEBOOKS:
        if names and path.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            notebook = cleaned(executed(path, folder), folder)
        if wrong := list(faults(notebook)):
            status = 1
            print(f"{path.name}: not written\n" + "\n".join(wrong), file=sys.stderr)
        else:
            nbformat.write(notebook, path)
            print(path.name)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
