"""The verbs of the command line, each with one line about it; the one in question alone is imported."""

import importlib
import os
from typing import Any

from slfac_sim.foundation.program import program

COMMANDS = {
    "run": "train, transmit and time a scenario (also without the word: `{program} FILE`)",
    "init": "write a scenario of one's own to begin with, with comments, or a study",
    "check": "say what a scenario would run, without training",
    "resume": "go on with a run that was interrupted or killed, to the same end",
    "verify": "run the scenario of a finished run again and compare every row",
    "replay": "time a finished run again: another network, other speeds, another server, no training",
    "sweep": "run a study: every combination of settings and seeds, each training once",
    "ask": "find the value of a setting that meets a bound, by bisection over replays",
    "crossover": "find where one codec stops beating another, over a setting of the network",
    "explain": "say where the simulated time of a run went, and who was waited for",
    "figure": "draw the figures of runs, several on one axis, or of a study: for screen, paper or slides",
    "report": "write one page about a run, a study, an answer or several runs, to look at in a browser",
    "trace": "write a run's timeline for Perfetto, or as a moving picture",
    "list": "list the runs under a folder",
    "compare": "set two runs side by side: what differs in their settings and in their results",
    "evaluate": "measure the trained model of a run again: with another codec, on other data",
    "export": "write the tables of a run as CSV or Parquet files, or its trained model",
    "cite": "print the references of the parts that a scenario uses",
    "codec": "try codecs on tensors: encode, decode, compare, inspect, spectra",
    "capture": "save real activations and gradients of named training steps as .npy files",
    "network": "time transfers over links and media, from a JSON file, without learning",
    "schema": "say what a setting is; without one, print the JSON Schema of scenarios, for editors",
    "docs": "show a page of the docs, which come with the program, or list them",
    "completion": 'print what makes a shell complete our words: eval "$(slfac-sim completion bash)"',
    "data": "fetch the data sets ahead of time, or say where they are",
}
OF_THE_PROGRAM = ("-h", "--help", "-V", "--version")
"""Options in place of a command."""
_MEANT = dict.fromkeys(("analysis", "analyse", "analyze", "plot", "draw"), "figure")
"""Words that are no commands, and the command that does what they ask for."""


def module_of(command: str) -> Any:
    """Return the module of a command, with its `add_arguments` and its `main`."""
    return importlib.import_module(f"slfac_sim.cli.{command}")


def no_scenario(word: str) -> str | None:
    """Return why `word`, which is no command, can be no scenario either; None for what may be one."""
    import difflib

    if word in _MEANT and not os.path.isfile(word):
        return f"{word}: no such command; `{program(_MEANT[word])}` is to {COMMANDS[_MEANT[word]]}"
    if os.path.exists(word):
        return None
    from slfac_sim.scenario.files import shipped

    names = sorted(name.removesuffix(".yaml") for name in shipped())
    if word.removesuffix(".yaml") in names:
        return None
    if near := difflib.get_close_matches(word, COMMANDS, n=1):
        return f"{word}: no such command, and no scenario; did you mean '{near[0]}'?"
    if not word.isidentifier() or difflib.get_close_matches(word, names, n=1):
        return None
    known = f"shipped are {', '.join(names)}; `{program('help')}` lists the commands"
    return f"{word}: no such command, no such file, and no shipped scenario of that name; {known}"
