"""Figures: one file, one plug-in, found by its file name; they know arrays and no files.

A figure's module has two functions. ``data(run) -> Series`` takes out of a run the arrays that it shows;
``draw(series) -> Figure`` draws them, the series of one or several runs, inside `house_style`. A new
figure is one new file here, and every command that draws finds it.
"""
