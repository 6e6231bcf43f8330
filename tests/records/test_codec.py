"""Records survive the way through bytes exactly, and bytes that are not records are refused."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.records.codec import CodecError, decode, encode
from bnviz.records.records import CURVE_MEASURES, ArmMeasured, RunFailed, RunFinished, RunStarted, RunStopped, StepMeasured

SMALL = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
FLOATS = hnp.arrays(np.float32, SMALL, elements=st.floats(width=32, allow_nan=True, allow_infinity=True))
COUNTS = hnp.arrays(np.uint32, SMALL)
NAMED_FLOATS = st.dictionaries(st.text(max_size=8), FLOATS, max_size=4)
ARMS = st.builds(
    ArmMeasured,
    curves=NAMED_FLOATS,
    layers=NAMED_FLOATS,
    percentiles=NAMED_FLOATS,
    histograms=st.dictionaries(st.text(max_size=8), COUNTS, max_size=3),
    diverged_at=hnp.arrays(np.int32, hnp.array_shapes(max_dims=1)),
    extras=NAMED_FLOATS,
)
STEPS = st.integers(0, 5000)
HASHES = st.lists(st.lists(st.text(max_size=6), max_size=3).map(tuple), max_size=3).map(tuple)
CONFIGS = st.builds(
    RunConfig,
    dataset=st.builds(DatasetConfig, name=st.sampled_from(["digits", "spirals"]), noise=st.floats(0, 2)),
    arms=st.lists(st.builds(ArmConfig, lr=st.floats(1e-6, 100), name=st.sampled_from(["", "ünï"])), min_size=1, max_size=3).map(
        tuple
    ),
    seed=st.integers(0, 2**31 - 1),
)
RECORDS = st.one_of(
    st.builds(StepMeasured, frame=STEPS, step=STEPS, arms=st.lists(ARMS, max_size=2).map(tuple)),
    st.builds(
        RunStarted,
        run_id=st.text(max_size=16),
        config=CONFIGS,
        weights_hash=HASHES,
        batches_hash=HASHES,
        measured_steps=st.lists(STEPS, max_size=5).map(tuple),
        input_features=STEPS,
        class_count=STEPS,
        plane=st.none() | NAMED_FLOATS,
        versions=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
    ),
    st.builds(RunFinished, step=STEPS),
    st.builds(RunStopped, step=STEPS, reason=st.text()),
    st.builds(RunFailed, step=STEPS, reason=st.text()),
)


def same(one: object, other: object) -> bool:
    """Equal in type, dtype, shape and bits; a NaN equals itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        assert isinstance(other, tuple)
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__)
    return one == other


@given(RECORDS)
def test_round_trip_is_exact(record):
    assert same(decode(encode(record)), record)


@given(RECORDS, st.data())
def test_cut_bytes_are_refused(record, data):
    encoded = encode(record)
    with pytest.raises(CodecError):
        decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    with pytest.raises(CodecError):
        decode(noise)


def header_of(record) -> tuple[bytes, bytes]:
    data = encode(record)
    length = struct.unpack_from("<4sI", data)[1]
    return data[8 : 8 + length], data[8 + length :]


def with_header(header: bytes, rest: bytes = b"") -> bytes:
    header += b" " * (-(len(header) + 8) % 8)
    return struct.pack("<4sI", b"BNR1", len(header)) + header + rest


@pytest.mark.parametrize(
    "header",
    [
        b'{"kind":"RunFinished","body":{"step":"5"},"arrays":[]}',
        b'{"kind":"RunFinished","body":{"step":true},"arrays":[]}',
        b'{"kind":"RunFinished","body":{"step":5,"more":1},"arrays":[]}',
        b'{"kind":"RunFinished","body":{},"arrays":[]}',
        b'{"kind":"Popen","body":{"args":"ls"},"arrays":[]}',
        b'{"kind":"RunFinished","body":{"step":5},"arrays":[["O",[1]]]}',
        b'{"kind":"RunFinished","body":{"step":5},"arrays":[["<f4",[-1]]]}',
        b'{"kind":"RunFinished","body":{"step":5},"arrays":[["<f4",[1000000]]]}',
        b"[]",
        b"\xff",
    ],
)
def test_headers_of_another_form_are_refused(header):
    with pytest.raises(CodecError):
        decode(with_header(header))


def test_another_dtype_than_the_records_is_refused():
    arm = ArmMeasured({CURVE_MEASURES[0]: np.zeros(2, np.float64)}, {}, {}, {}, np.zeros(2, np.int32))  # type: ignore[dict-item]
    with pytest.raises(CodecError, match="<f8"):
        decode(encode(StepMeasured(0, 0, (arm,))))


def test_an_index_of_no_array_is_refused():
    header, rest = header_of(StepMeasured(0, 0, (ArmMeasured({}, {}, {}, {}, np.zeros(2, np.int32)),)))
    for index in (b"1", b"-1", b"null"):
        with pytest.raises(CodecError):
            decode(with_header(header.replace(b'"diverged_at":0', b'"diverged_at":' + index), rest))


def test_objects_cannot_be_sent():
    arm = ArmMeasured({"a": np.array([object()])}, {}, {}, {}, np.zeros(2, np.int32))  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="dtype object"):
        encode(StepMeasured(0, 0, (arm,)))


def test_configuration_keeps_its_identity():
    config = RunConfig(arms=(ArmConfig(lr=0.1 + 0.2),), seed=7)
    started = RunStarted(config.run_id, config, (), (), (), 1, 2, None, {})
    read = decode(encode(started))
    assert isinstance(read, RunStarted)
    assert read.config == config
    assert read.config.run_id == started.run_id
