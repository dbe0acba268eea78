"""Plug-ins of somebody else, as a scenario names them: `foreign.dying_data`."""
