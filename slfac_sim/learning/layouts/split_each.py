"""The model cut in two, not at the same place for every device; labels are sent along."""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.evaluation import mean_score
from slfac_sim.learning.layouts import Layout, split
from slfac_sim.learning.layouts._cutting import refuse_mixtures
from slfac_sim.learning.layouts._ground import Ground
from slfac_sim.learning.mixed_cuts import MixedServer
from slfac_sim.learning.participants import Device
from slfac_sim.learning.weights import state_size
from slfac_sim.learning.work import Work


class Cast(Layout):
    """The participants of `split` for each cut, together; in common they have the deepest of their halves.

    `by_cut` are those of each cut; `split` and `held` are of the cut that most devices have.
    """

    def __init__(self, ground: Ground) -> None:
        cut_of = _cuts(ground)
        counts = Counter(cut_of.values())
        self.casts: Mapping[str, split.Cast] = {cut: _cast(ground, cut, cut_of) for cut in counts}
        by_name = {device.name: device for cast in self.casts.values() for device in cast.devices}
        self.devices: Sequence[Device] = [by_name[name] for name in ground.names]
        most = self.casts[counts.most_common(1)[0][0]]
        self.split, self.held = most.split, most.held
        values = state_size(most.split.device) + state_size(most.split.server)
        servers = {cut: cast.server for cut, cast in self.casts.items()}
        self.server = MixedServer(SERVER, servers, cut_of, values, most.models)

    @property
    def by_cut(self) -> Mapping[str, split.Cast]:
        """The casts of the devices of each cut."""
        return self.casts

    @property
    def works(self) -> Sequence[Work]:
        """The work of both halves."""
        return [self.split.work]

    @property
    def beyond(self) -> Sequence[nn.Module]:
        """The server's half."""
        return [self.split.server]

    def initial(self) -> Payload:
        """Return the deepest half before training."""
        return max((cast.initial() for cast in self.casts.values()), key=lambda model: model.nbytes)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the mean over devices of the figures with their cuts; the deepest half is in `model`."""
        casts = self.casts.values()
        state = self.server.as_received(model)
        return mean_score([(cast.score(_part(cast, state), exact), len(cast.devices)) for cast in casts])


def _cast(ground: Ground, cut: str, cut_of: Mapping[str, str]) -> split.Cast:
    mine = copy.copy(ground)
    mine.scenario = replace(ground.scenario, cut=cut)
    names = [name for name in ground.names if cut_of[name] == cut]
    try:
        return split.Cast(mine, names)
    except BadInput as fault:
        raise BadInput(f"cut.{names[0]}: {str(fault).removeprefix('cut: ')}") from fault


def _part(cast: split.Cast, state: Tensor) -> Tensor:
    return state[: cast.devices[0].model_values]


def _cuts(ground: Ground) -> Mapping[str, str]:
    """Return the cut of each device, in device order. Raises `BadInput` for one that is not told."""
    told = ground.scenario.cut
    assert isinstance(told, dict)
    refuse_mixtures(ground.scenario)
    missing = [name for name in ground.names if name not in told]
    unknown = [name for name in told if name not in ground.names]
    if missing or unknown:
        found = f"{missing[0]} has none" if missing else f"there is no device '{unknown[0]}'"
        raise BadInput(f"cut: one for each of {ground.names[0]} to {ground.names[-1]} is wanted; {found}")
    return {name: told[name] for name in ground.names}
