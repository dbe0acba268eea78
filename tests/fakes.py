"""Participants without learning: round numbers in place of tensors, so that a round can be worked by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from slfac_sim.codecs import Payload


def payload(nbytes: int) -> Payload:
    return Payload(bytes(nbytes), nbytes)


@dataclass
class FakeDevice:
    """A device with given FLOPs per sample and payload sizes; it writes down what is done to it."""

    name: str
    place: int
    steps: int
    heard: list[str]
    cost: SimpleNamespace
    smashed_bytes: int
    model_bytes: int
    model_codec_flops: tuple[float, float] = (0.0, 0.0)
    model_values: int = 1
    lacks_frozen: bool = False

    @property
    def exchange(self) -> SimpleNamespace:
        return self.cost

    @property
    def shard(self) -> Any:
        return SimpleNamespace(
            steps_per_epoch=lambda: self.steps, epoch=lambda number: [[number]] * self.steps
        )

    def next_batch(self) -> list[int]:
        return [0]

    def forward(self, batch: Sequence[int]) -> Any:
        self.heard.append(f"{self.name} forward")
        return SimpleNamespace(pending=self.name)

    def encode(self, smashed: Any) -> Payload:
        return payload(self.smashed_bytes)

    def encode_labels(self, smashed: Any) -> Payload:
        return payload(1)

    def decode(self, body: bytes, asked: bytes) -> str:
        return f"gradient of {len(body)} bytes"

    def backward(self, pending: str, gradient: str) -> None:
        self.heard.append(f"{pending} backward by {gradient}")

    def model_payload(self) -> Payload:
        return payload(self.model_bytes)

    def load_model(self, body: bytes) -> None:
        self.heard.append(f"{self.name} takes the average")


@dataclass
class FakeServer:
    """A server that answers each device with feedback that names it."""

    heard: list[str]
    gradient_bytes: int
    name: str = "server"

    def decode(self, device: str, body: bytes, labels: bytes) -> str:
        return device

    def train(self, cohort: Sequence[str], rate: float = 1.0) -> list[Any]:
        self.heard.append("server trains on " + " ".join(cohort))
        return [SimpleNamespace(device=device, loss=1.0, correct=1) for device in cohort]

    def encode(self, device: str, feedback: Any, asked: bytes) -> Payload:
        assert feedback.device == device
        return payload(self.gradient_bytes)

    def model_codec_flops(self, values: int) -> tuple[float, float]:
        return 0.0, 0.0

    def encode_model(self, model: Payload, sizes: Sequence[int]) -> dict[int, Payload]:
        return dict.fromkeys(sizes, model)

    def decode_model(self, body: bytes) -> int:
        return len(body)

    def decode_change(self, body: bytes) -> int:
        return len(body)

    def state_of(self, model: Payload) -> int:
        return model.nbytes

    def in_common(self, state: int) -> Payload:
        return payload(state)

    def average(self, states: Sequence[int], samples: Sequence[int]) -> Payload:
        self.heard.append(f"server averages {len(states)} halves")
        return payload(states[0])


@dataclass
class FakeParticipants:
    devices: list[FakeDevice]
    server: FakeServer
    evaluated: list[int] = field(default_factory=list)
    seed: int = 0
    waits_for_server: bool = True
    may_be_absent: bool = False
    kept: list[tuple[int, Payload]] = field(default_factory=list)
    last_carried: Mapping[str, Any] = field(default_factory=dict)

    def expected_s(self, device: str) -> float:
        return 1.0 + int(device[1:])

    stopped = False

    def begin_round(self, round_number: int) -> None:
        pass

    def begun(self) -> tuple[int, Payload]:
        return self.kept[-1] if self.kept else (0, self.devices[0].model_payload())

    def keep(self, number: int, model: Payload, carried: Mapping[str, Any] = {}) -> None:
        self.kept.append((number, model))
        self.last_carried = carried

    def carried(self) -> Mapping[str, Any]:
        return self.last_carried

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        self.evaluated.append(len(model))
        return {"accuracy": 0.5, "loss": 1.0, "accuracy_no_codec": 0.5}

    def due(self, number: int, rounds: int) -> bool:
        return True


def participants(
    *,
    steps: Sequence[int] = (1, 1, 1),
    forward_flops: float = 1e9,
    backward_flops: float = 1e9,
    server_flops: float = 1e9,
    codec_flops: float = 0.0,
    smashed_bytes: int = 500_000 - 1,
    gradient_bytes: int = 500_000,
    model_bytes: int = 100_000,
) -> FakeParticipants:
    work = SimpleNamespace(
        device_forward_flops=forward_flops,
        device_backward_flops=backward_flops,
        server_step_flops=server_flops,
    )
    cost = SimpleNamespace(
        answered=True,
        work=work,
        encode_up_flops=codec_flops,
        decode_up_flops=codec_flops,
        encode_down_flops=codec_flops,
        decode_down_flops=codec_flops,
    )
    heard: list[str] = []
    devices = [
        FakeDevice(f"d{place:03d}", place, count, heard, cost, smashed_bytes, model_bytes)
        for place, count in enumerate(steps)
    ]
    return FakeParticipants(devices, FakeServer(heard, gradient_bytes))
