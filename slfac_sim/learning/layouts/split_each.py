"""The model cut in two, not at the same place for every device; labels are sent along."""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.counting import figures
from slfac_sim.learning.cutting import refuse_mixtures
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.layouts import Layout
from slfac_sim.learning.layouts.split import Split
from slfac_sim.learning.mixed_cuts import MixedServer
from slfac_sim.learning.own_norms import refuse_own_norms
from slfac_sim.learning.participants import Device
from slfac_sim.learning.weights import state_size


class SplitEach(Layout):
    """The participants of `split` for each cut, together; in common they have the deepest of their halves.

    What is of one cut alone, sizes and work, is that of the cut that most devices have.
    """

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        cut_of = self._cut_of = _cuts(ground)
        refuse_own_norms(ground.scenario, "where the cuts of devices differ")
        counts = Counter(cut_of.values())
        self.by_cut: Mapping[str, Split] = {cut: _split(ground, cut, cut_of) for cut in counts}
        by_name = {device.name: device for part in self.parts for device in part.devices}
        self.devices: Sequence[Device] = [by_name[name] for name in ground.names]
        most = self.by_cut[counts.most_common(1)[0][0]]
        self.split, self.held, self.smashed_shape = most.split, most.held, most.smashed_shape
        self.works, self.learners, self.beyond = most.works, most.learners, most.beyond
        values = state_size(most.split.device) + state_size(most.split.server)
        servers = {cut: part.server for cut, part in self.by_cut.items()}
        self.server = MixedServer(SERVER, servers, cut_of, values, most.models)

    @property
    def parts(self) -> Sequence[Split]:
        """The layouts of the devices of each cut."""
        return list(self.by_cut.values())

    def server_values(self, device: str) -> int:
        """Return how many numbers the state of the server's half for `device` has."""
        return self.by_cut[self._cut_of[device]].server_values(device)

    def initial(self) -> Payload:
        """Return the deepest half before training."""
        return max((part.initial() for part in self.parts), key=lambda model: model.nbytes)

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of the deepest device half, and of the server's half behind it."""
        deepest = max(self.parts, key=lambda part: part.devices[0].model_values)
        return deepest.trained(model)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the mean over devices of the figures with their cuts; the deepest half is in `model`."""
        state = self.server.as_received(model)
        scores = []
        for part in self.parts:
            mine, names = part.devices[0].model_values, [device.name for device in part.devices]
            scores.append((part.score(state[:mine], exact), names))
        return figures(scores, self.ground)


def _split(ground: Ground, cut: str, cut_of: Mapping[str, str]) -> Split:
    mine = copy.copy(ground)
    mine.scenario = replace(ground.scenario, cut=cut)
    names = [name for name in ground.names if cut_of[name] == cut]
    try:
        return Split(mine, names)
    except BadInput as fault:
        raise BadInput(f"cut.{names[0]}: {str(fault).removeprefix('cut: ')}") from fault


def _cuts(ground: Ground) -> Mapping[str, str]:
    """Return the cut of each device, in device order. Raises `BadInput` for one that is not told."""
    cuts = ground.scenario.cut
    assert isinstance(cuts, dict)
    refuse_mixtures(ground.scenario)
    missing = [name for name in ground.names if name not in cuts]
    unknown = [name for name in cuts if name not in ground.names]
    if missing or unknown:
        fault = f"{missing[0]} has none" if missing else f"there is no device '{unknown[0]}'"
        raise BadInput(f"cut: one for each of {ground.names[0]} to {ground.names[-1]} is wanted; {fault}")
    return {name: cuts[name] for name in ground.names}
