# `make validation` compares the network with ns-3: it installs ns-3 into an environment of its own, makes
# the reference numbers anew and writes the tables of docs/validation.md. It wants Python 3.11 and g++.

PYTHON ?= python3
NS3 = 3.44.post0
ENVIRONMENT = .venv-validation
IN = $(ENVIRONMENT)/bin/python

.PHONY: validation validation-stored

validation: $(ENVIRONMENT)/ns3-$(NS3)
	$(IN) validation/reference.py
	PYTHONPATH=. $(IN) validation/compare.py --write docs/validation.md

# The same comparison, with the numbers that are stored.
validation-stored: $(ENVIRONMENT)/ns3-$(NS3)
	PYTHONPATH=. $(IN) validation/compare.py --write docs/validation.md

# Without its dependencies: they are for its Python bindings, which are not used.
$(ENVIRONMENT)/ns3-$(NS3):
	$(PYTHON) -m venv $(ENVIRONMENT)
	$(IN) -m pip install -q -c constraints.txt numpy simpy pydantic networkx
	$(IN) -m pip install -q --no-deps ns3==$(NS3)
	touch $@
