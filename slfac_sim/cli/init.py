"""`init`: a scenario or a study of one's own to begin with; it runs as it stands."""

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.program import program

SHIPPED = {"quick": "quick", "cell": "nr_umi", "wifi": "wifi_home", "topology": "campus"}
"""Templates of a scenario, and the shipped scenario that each is made of."""
STUDY = "study"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and what it is made of."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="default: scenario.yaml, or study.yaml for a study"
    )
    parser.add_argument(
        "--template",
        choices=(*SHIPPED, STUDY),
        default="quick",
        help="quick: a small 5G cell, in a minute (default); cell: all that a 5G cell has; wifi: 802.11n;"
        " topology: Wi-Fi and 5G behind wires;"
        " study: two codecs at three bandwidths",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")
    parser.add_argument(
        "--schema",
        action="store_true",
        help="write the JSON Schema beside it too, for editors on other computers",
    )


def main(arguments: argparse.Namespace) -> int:
    """Write the file; print its name, and what to type next."""
    is_study = arguments.template == STUDY
    file = arguments.file or Path("study.yaml" if is_study else "scenario.yaml")
    schema = file.parent / f"{'study' if is_study else 'scenario'}.schema.json"
    _refuse([file, schema] if arguments.schema else [file], arguments.force)
    _write(file, arguments.template, schema, arguments.schema)
    print(file)
    print(f"what it will run:  {program('check')} {file}")
    print(f"run it:            {program('sweep') if is_study else program()} {file}")
    print(f"what a setting is: {program('schema')} network.bandwidth")
    return 0


def _refuse(files: Sequence[Path], force: bool) -> None:
    """Raise `BadInput`, before anything is written, for a file that is there already, unless by `force`."""
    for file in files:
        if not file.parent.is_dir():
            raise BadInput(f"{file}: no folder {file.parent}")
        if file.exists() and not (force and file.is_file()):
            what = "--force replaces it" if file.is_file() else "it is no file"
            raise BadInput(f"{file}: exists already; name another file ({what})")


def _write(file: Path, template: str, schema: Path, with_schema: bool) -> None:
    from slfac_sim.foundation.files import write_text

    lines = [*_head(file, schema.name, with_schema), *_lines(template, _name_of(file))]
    try:
        if with_schema and (source := _installed(schema.name)) is not None:
            shutil.copy(source, schema)
        write_text(file, "\n".join([*lines, ""]))
    except OSError as error:
        raise BadInput(f"{file}: cannot be written ({error.strerror})") from error


def _lines(template: str, name: str) -> Iterator[str]:
    if template == STUDY:
        from slfac_sim.studies.template import study_text

        return study_text(name)
    from slfac_sim.scenario.template import scenario_text

    return scenario_text(SHIPPED[template], name)


def _name_of(file: Path) -> str:
    """Return the name that the scenario or study in `file` gets."""
    from slfac_sim.scenario.files import name_of
    from slfac_sim.scenario.schema import RESERVED

    name = name_of(str(file)) or "scenario"
    return f"my_{name}" if name in RESERVED else name


def _head(file: Path, schema: str, beside: bool) -> Iterator[str]:
    """Yield the line by which editors find the schema, and what lines that begin with # are."""
    installed = _installed(schema)
    if beside:
        yield f"# yaml-language-server: $schema={schema}"
    elif installed is not None:
        yield f"# yaml-language-server: $schema={_reference(installed, file)}"
    yield "# A line that begins with #, without a space, is a setting with its default: take the # away to"
    yield f"# change it. `{program('schema')} network.radius` says what a setting is and what it may be."


def _reference(schema: Path, file: Path) -> str:
    """Return how `file` names the installed `schema`: relatively if both are below the folder we are in."""
    here = Path.cwd()
    if schema.is_relative_to(here) and file.resolve().is_relative_to(here):
        return os.path.relpath(schema, file.resolve().parent)
    return str(schema)


def _installed(schema: str) -> Path | None:
    from slfac_sim.cli.completing.places import package_file

    return package_file("docs", schema)
