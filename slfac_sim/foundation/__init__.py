"""The ground floor that every part may stand on: units, random streams, plug-in look-up, errors."""
