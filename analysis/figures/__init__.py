"""Figures: one file, one plug-in, found by its file name; they know arrays and no files.

A figure's module has three functions. ``data(run) -> Series`` takes out of a run the arrays that it shows;
``draw(series) -> Figure`` draws them, the series of one or several runs, inside `house_style`;
``table(series)`` yields the same as rows ({column: value}), which are written beside it as CSV (a figure may
do without). ``ONE_RUN = True`` says that it shows a single run. A new figure is one new file here, and every
command that draws finds it.
"""
