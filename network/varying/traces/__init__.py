"""Measured traces of rates: three formats of files, read into courses. They know no air and no clock."""
