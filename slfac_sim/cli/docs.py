"""`docs`: the pages of the docs, which come with the program; without one, a list of them."""

import argparse
import os
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the page."""
    text = "a page (network), a section of it (network#transport), or nothing: the list of pages"
    parser.add_argument("page", nargs="?", metavar="PAGE", help=text)


def main(arguments: argparse.Namespace) -> int:
    """Show the page, laid out on a terminal and as Markdown elsewhere, or the list."""
    from slfac_sim.cli.pages import find

    if arguments.page is None:
        _print_list()
    elif sys.stdout.isatty():
        _show(find(arguments.page))
    else:
        print(find(arguments.page), end="")
    return 0


def _print_list() -> None:
    from slfac_sim.cli.pages import chapters, title_of
    from slfac_sim.foundation.program import program

    there = chapters()
    width = max(len(page) for pages in there.values() for page in pages)
    for caption, pages in there.items():
        print("\n".join([caption, *(f"  {page:<{width}}  {title_of(page)}" for page in pages), ""]))
    print(f"`{program('docs')} PAGE` shows one, `{program('schema')} SETTING` says what a setting is")


def _show(text: str) -> None:
    """Show Markdown on a terminal, page by page where it is longer."""
    from rich.console import Console
    from rich.markdown import Markdown

    os.environ.setdefault("LESS", "-RFX")  # less then shows colours, and ends by itself after one screen
    console = Console()
    with console.pager(styles=True):
        console.print(Markdown(text))
