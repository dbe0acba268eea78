"""The law of ends: saved and restored they go on alike, and what they draw follows the seed of the run."""

import io

import numpy as np
import pytest
import torch
from codec_cases import EVERY_SWITCH, KINDS, codec_of, declares_unbiased, encoded, ids_of
from codec_oracles import tensor_of

from slfac_sim import codecs
from slfac_sim.codecs import End

UNBIASED = {name: case for name, case in EVERY_SWITCH.items() if declares_unbiased(*case)}
ASKED = codec_of("topk").sender("asked").encode(tensor_of("normal", (6, 12, 5, 5))).body
CHECKPOINTED = EVERY_SWITCH | {
    "fedlite, correction": ("fedlite", {"correction": 0.5}),
    **{
        f"{wrapper}, {kind}": (wrapper, {"codec": codec_of(kind)})
        for wrapper in ("error_feedback", "on_support")
        for kind in ("aq_sgd", "fedlite", "randtopk", "sl_acc")
    },
}


def goes_on(pairs, visits):
    """Return all bodies and tensors of `visits` to the same samples, and back, for each pair of ends."""
    seen = []
    for visit in visits:
        tensor = tensor_of("normal", (6, 12, 5, 5), seed=visit) / 20 + tensor_of("smooth", (6, 12, 5, 5))
        for sender, receiver in pairs:
            for end in (sender, receiver):
                end.follow(ASKED)
            body = sender.encode(tensor, np.arange(6)).body
            if visit % 3:
                sender.confirm(body)
            arrived = receiver.decode(body)
            seen.append((body, arrived.tobytes(), sender.correct(body, arrived).tobytes()))
    return seen


def saved(state):
    """Return `state` as a checkpoint of the run brings it back: nothing of it may be code."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize(("kind", "switch"), CHECKPOINTED.values(), ids=CHECKPOINTED)
def test_ends_that_are_saved_and_restored_go_on_alike(kind, switch):
    codec = codec_of(kind, **switch)
    ends = codec.sender("up/d017"), codec.receiver()
    goes_on([ends], range(7))
    fresh = codec.sender("up/d017"), codec.receiver()
    for old, new in zip(ends, fresh, strict=True):
        new.set_state(saved(old.get_state()) or {})
    one, other = goes_on([ends], range(7, 11)), goes_on([fresh], range(7, 11))
    assert one == other


def test_the_test_of_checkpoints_can_tell():
    """Without its state, a fresh pair would not go on alike."""
    for kind in ("qsgd", "sl_acc", "aq_sgd", "error_feedback"):
        codec = codec_of(kind)
        ends, fresh = ((codec.sender("up/d017"), codec.receiver()) for _ in range(2))
        goes_on([ends], range(7))
        assert goes_on([ends], range(7, 8)) != goes_on([fresh], range(7, 8))


@pytest.mark.parametrize(("kind", "switch"), UNBIASED.values(), ids=UNBIASED)
def test_draws_follow_the_seed_of_the_run(kind, switch):
    codec, tensor = codec_of(kind, **switch), tensor_of("normal", (2, 3, 7, 7))
    bodies = [
        codecs.seeded(codec, seed).sender("up").encode(tensor, ids_of(tensor)).body for seed in (0, 1, 2)
    ]
    assert bodies[0] == codec.sender("up").encode(tensor, ids_of(tensor)).body
    assert len(set(bodies)) == 3
    assert codecs.seeded(codec, 0) == codec


def test_the_seed_of_the_run_reaches_codecs_within_codecs_and_keys():
    wrapped = codec_of("error_feedback", codec=codec_of("randtopk", seed=3))
    assert codecs.seeded(wrapped, 4) == codec_of("error_feedback", codec=codec_of("randtopk", seed=7))
    keyed = codecs.seeded(codec_of("c3_sl", seed=2**64 - 1), 3)
    tensor = tensor_of("normal", (4, 3, 4, 4))
    assert encoded(keyed, tensor).body == encoded(codec_of("c3_sl", seed=2), tensor).body


@pytest.mark.parametrize("kind", KINDS)
def test_a_codec_whose_messages_need_others_says_so(kind):
    """A receiver that remembers, or an end that follows, is not for models, of which each stands alone."""
    codec = codec_of(kind)
    remembers = codec.receiver().get_state() is not None
    follows = type(codec.sender("up")).follow is not End.follow
    assert bool(codec.unfit_for_models) == (remembers or follows)
