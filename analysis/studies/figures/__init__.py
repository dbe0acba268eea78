"""Figures of a study: one file, one figure, found by its file name.

A figure's module has three functions. ``data(study)`` takes the arrays that it shows out of a `StudyPoints`,
or returns None where the study has nothing for this figure (no second axis for a heatmap). ``table(data)``
returns the same as rows, which are written as the CSV file behind the figure. ``draw(data)`` returns the
`Figure`; it sees arrays and labels only.
"""
