"""The shipped scenarios: YAML files, found by name from any folder."""
