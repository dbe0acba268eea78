"""The shipped studies: YAML files, found by name from any folder."""
