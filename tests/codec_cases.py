"""Every codec and every switch of it, found by themselves; mutated bodies; and golden bodies, as stored."""

import dataclasses
import os
import subprocess
import sys
import typing
import zlib
from pathlib import Path

import numpy as np
from codec_oracles import tensor_of

from slfac_sim import codecs
from slfac_sim.codecs.kit import bodies
from slfac_sim.codecs.kit import wire as _wire
from slfac_sim.foundation import plugins

KINDS = plugins.kinds("slfac_sim.codecs")
TESTS = Path(__file__).parent
GOLDEN = TESTS / "codecs" / "golden"


def codec_of(kind, **settings):
    return plugins.find("slfac_sim.codecs", kind)(**settings)


def switches(kind):
    """Yield the settings that turn one switch (a choice of words, or a truth value) from its default."""
    try:
        cls = plugins.find("slfac_sim.codecs", kind)
    except Exception:  # it fails in its own tests, not in those of every codec
        return
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        options = (
            typing.get_args(hints[field.name])
            if typing.get_origin(hints[field.name]) is typing.Literal
            else ()
        )
        if hints[field.name] is bool:
            options = (True, False)
        for option in options:
            if option != field.default and _legal(cls, {field.name: option}):
                yield {field.name: option}


def _legal(cls, settings):
    """Say whether the switch may be turned alone."""
    try:
        cls(**settings)
    except ValueError:
        return False
    return True


def name_of(kind, settings):
    return "-".join([kind, *(f"{key}={value}" for key, value in settings.items())])


EVERY_SWITCH = {
    name_of(kind, settings): (kind, settings) for kind in KINDS for settings in ({}, *switches(kind))
}


def declares_unbiased(kind, switch):
    try:
        codec = codec_of(kind, **switch)
    except Exception:  # as above
        return False
    return bool(codec.unbiased)


def ids_of(tensor):
    return np.arange(len(tensor)) if tensor.ndim > 1 else None


def encoded(codec, tensor, stream="up/d017", training=True):
    return bodies.TypedSender(codec, stream).encode(tensor, ids_of(tensor), training)


def decoded(codec, body):
    return bodies.TypedReceiver(codec).decode(body)


def ships(kind):
    """Say whether `kind` is a file of this repository's folder (not one that a test put beside it)."""
    return (Path(codecs.__file__).parent / f"{kind}.py").exists()


# --- fresh processes -------------------------------------------------------------------------------------

_AVX2 = bool({"AVX2", "X86_V3"} & {*np.show_config(mode="dicts")["SIMD Extensions"]["found"]})

# Kinds of matrix products to try: those that the processor gets, and the AVX2 ones, whose last bits show
# a cut in more places than those of AVX-512. Where the environment asks for the latter, both are the same.
_AVX2_BLAS = {"OPENBLAS_CORETYPE": "Haswell"}
BLAS = {"own": {}, **({"avx2": _AVX2_BLAS} if _AVX2 and not _AVX2_BLAS.items() <= os.environ.items() else {})}


def fresh(program, *arguments, threads="1", **variables):
    """Return the lines that `program` prints in a process of its own."""
    paths = {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS), str(TESTS / "codecs")])}
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **paths, "OMP_NUM_THREADS": threads, **variables},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout.splitlines()


# --- golden bodies ---------------------------------------------------------------------------------------


def golden_path(kind):
    return GOLDEN / f"{kind}.v{_wire.VERSION}.json"


def golden_cases(kind):
    """Return what is stored of `kind`: a small tensor under every switch, its body and what it decodes to."""
    tensor = tensor_of("normal", (2, 3, 4, 3), seed=5)
    settings = [case for name, case in EVERY_SWITCH.values() if name == kind]
    cases = [golden_case(kind, one, tensor) for one in settings]
    half = tensor.astype(np.float16)
    return [*cases, golden_case(kind, {}, half)]


def golden_case(kind, settings, tensor):
    codec = codec_of(kind, **settings)
    body = encoded(codec, tensor).body
    values = decoded(codec, body)
    return {
        "settings": settings,
        "dtype": values.dtype.name,
        "shape": values.shape,
        "body": body.hex(),
        "values": [float(f"{value:.6g}") for value in values.astype(np.float64).reshape(-1)],
    }


# --- mutated bodies --------------------------------------------------------------------------------------


def resealed(body):
    """Give a mutated body a right checksum, so that the checks behind it are reached."""
    return body[:-4] + zlib.crc32(body[:-4]).to_bytes(4, "little")


def mutants(body, count, seed=0):
    """Yield bodies with bytes changed, bits flipped, cut, or lengthened; two thirds with a right checksum."""
    rng = np.random.default_rng([len(body), seed])
    for index in range(count):
        mutant = bytearray(body)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(min(len(mutant), 60) if index % 2 else len(mutant)))
            mutant[place] = int(rng.integers(256)) if index % 4 < 2 else mutant[place] ^ 1 << rng.integers(8)
        if index % 5 == 0:
            del mutant[int(rng.integers(len(mutant))) :]
        if index % 5 == 1:
            mutant += rng.bytes(int(rng.integers(1, 40)))
        yield resealed(bytes(mutant)) if index % 3 else bytes(mutant)
