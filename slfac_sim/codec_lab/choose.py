"""Codecs chosen by words, `slfac theta=0.9 raw`: a kind opens a codec, settings refine the one before."""

from collections.abc import Sequence

from slfac_sim.codecs import Codec
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds, settings
from slfac_sim.scenario.faults import settings_of
from slfac_sim.scenario.located import Located, Place
from slfac_sim.scenario.schema import CodecNode
from slfac_sim.scenario.yaml_text import to_tree


@settings
class Chosen:
    """What one codec is read as: the same node as in a scenario."""

    codec: CodecNode


def shipped() -> list[str]:
    """Return the kinds of all shipped codecs."""
    return list(kinds("slfac_sim.codecs"))


def codec_of(words: Sequence[str]) -> Codec:
    """Return the codec of `words`, a kind and its settings. Raises `BadInput`."""
    codecs = codecs_of(words)
    if len(codecs) != 1:
        raise BadInput(f"--codec {' '.join(words)}: expected one codec (got {len(codecs)})")
    return codecs[0]


def codecs_of(words: Sequence[str]) -> list[Codec]:
    """Return the codecs of `words`, in their order. Raises `BadInput`, with all faults of the first bad."""
    groups: list[list[str]] = []
    for word in words:
        if "=" not in word:
            groups.append([word])
        elif groups:
            groups[-1].append(word)
        else:
            raise BadInput(f"--codec {word}: a setting before any codec; a kind comes first: slfac {word}")
    return [_read(kind, given) for kind, *given in groups]


def _read(kind: str, given: Sequence[str]) -> Codec:
    top = Place(1, 0, 0, f"codec '{kind}'")
    node, faults = Located({"kind": Located(kind, top, top)}, top, top), []
    for rank, text in enumerate(given, start=2):
        name, _, value = text.partition("=")
        child, wrong = to_tree(value, f"codec '{kind}', {text}", rank)
        node = node.with_child(name, Located(child.value, child.place, child.place))
        faults += wrong
    codec: Codec = settings_of(Located({"codec": node}, top, top), Chosen, faults).codec
    return codec
