"""The model cut in three: head and tail on every device, the body on the server; labels stay at home."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload, seeded
from slfac_sim.foundation.errors import BadInput
from slfac_sim.layouts._cutting import Split, place_of
from slfac_sim.layouts._fleet import Held, refuse_what_does_not_fit, works
from slfac_sim.layouts._ground import Ground
from slfac_sim.layouts.split import _check_contract
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.evaluation import in_messages
from slfac_sim.learning.participants import Exchange
from slfac_sim.learning.u_shape import Body, Ends, EndsHalf, UDevice, UServer, evaluate
from slfac_sim.learning.weights import initialise, load_state_vector
from slfac_sim.learning.work import Work, count_work, smallest_normalised_map, smashed_shape
from slfac_sim.names import SERVER
from slfac_sim.scenario import Scenario
