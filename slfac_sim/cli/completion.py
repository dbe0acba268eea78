"""`completion`: the text that makes a shell complete our words, to be sourced there."""

import argparse

from slfac_sim.foundation.program import COMMAND

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell, and say what to do with the answer."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"""once in each shell in which {COMMAND} is found (its virtual environment is active):
  bash, zsh   eval "$({COMMAND} completion bash)"    with zsh after compinit
  fish        {COMMAND} completion fish | source
in a start-up file (~/.bashrc, ~/.zshrc), where it may not be found:
  command -v {COMMAND} >/dev/null && eval "$({COMMAND} completion bash)"
and in ~/.config/fish/config.fish:
  command -q {COMMAND}; and {COMMAND} completion fish | source"""


def main(arguments: argparse.Namespace) -> int:
    """Print the text for one shell."""
    from argcomplete.shell_integration import shellcode

    print(shellcode([COMMAND], shell=arguments.shell, use_defaults=False).strip())
    return 0
