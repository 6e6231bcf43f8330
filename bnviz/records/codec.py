"""Records as bytes and back, exactly, without pickle: what crosses the worker's socket and what the store keeps.

    b"BNR1" | header length, uint32 | JSON header, padded to 8 bytes | the arrays' raw buffers, each padded to 8 bytes

The header holds the record's kind, its fields with every array replaced by its number, and each array's dtype and
shape. Reading is driven by the records' type hints, so that bytes from an older or a broken program are refused
with a `CodecError` and never become a record of another form. Arrays are read in place and are read-only.
"""

import json
import math
import struct
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from bnviz.records.records import Record

MAGIC = b"BNR1"
KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Record)}
DTYPES = ("<f4", "<f8", "<i4", "<i8", "<u4", "|b1", "|u1")
_PREFIX = struct.Struct("<4sI")
_ALIGNMENT = 8


class CodecError(ValueError):
    """The bytes are not a record of this version."""


def encode(record: Record) -> bytes:
    """Write a record as bytes.

    Raises:
        TypeError: a field holds something that is neither JSON, a configuration nor an array of a known dtype.
    """
    arrays: list[NDArray[Any]] = []
    body = _plain(record, arrays)
    table = [[array.dtype.str, list(array.shape)] for array in arrays]
    header = json.dumps({"kind": type(record).__name__, "body": body, "arrays": table}, separators=(",", ":")).encode()
    header += b" " * (-(len(header) + _PREFIX.size) % _ALIGNMENT)
    parts = [_PREFIX.pack(MAGIC, len(header)), header]
    for array in arrays:
        data = array.tobytes()
        parts += (data, bytes(-len(data) % _ALIGNMENT))
    return b"".join(parts)


def _plain(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.str not in DTYPES:
            raise TypeError(f"an array of dtype {value.dtype} cannot be sent, allowed are {', '.join(DTYPES)}")
        arrays.append(value)
        return len(arrays) - 1
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item, arrays) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, arrays) for item in value]
    return value


def decode(data: bytes) -> Record:
    """Read a record from bytes.

    Raises:
        CodecError: the bytes are cut, of another version, or not of the form of a record.
    """
    try:
        header, offset = _header(data)
        arrays = _arrays(data, offset, header["arrays"])
        kind = KINDS[header["kind"]]
        return _reader(kind)(header["body"], arrays)
    except CodecError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, RecursionError, struct.error, ValidationError) as error:
        raise CodecError(f"not a record: {type(error).__name__}: {error}") from error


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    magic, length = _PREFIX.unpack_from(data)
    end = _PREFIX.size + length
    if magic != MAGIC or end > len(data):
        raise CodecError("not a record: another format, or cut in its header")
    return json.loads(data[_PREFIX.size : end]), end


def _arrays(data: bytes, offset: int, table: list[Any]) -> list[NDArray[Any]]:
    arrays = []
    for dtype, shape in table:
        if dtype not in DTYPES or not all(type(size) is int and size >= 0 for size in shape):
            raise CodecError(f"not a record: an array of dtype {dtype!r} and shape {shape!r}")
        count = math.prod(shape)
        array = np.frombuffer(data, dtype, count, offset).reshape(shape) if count else np.empty(shape, dtype)
        offset += array.nbytes + -array.nbytes % _ALIGNMENT
        arrays.append(array)
    if offset != len(data):
        raise CodecError(f"not a record: {len(data)} bytes where {offset} were announced")
    return arrays


Reader = Callable[[Any, list[NDArray[Any]]], Any]


@cache
def _reader(hint: Any) -> Reader:
    """Build the function that reads a value of this type hint from its plain form, or refuses it."""
    origin = get_origin(hint)
    if origin is np.ndarray:
        return _array_reader(np.dtype(get_args(get_args(hint)[1])[0]).newbyteorder("<").str)
    if origin in (Union, types.UnionType):
        inner = _reader(next(arm for arm in get_args(hint) if arm is not types.NoneType))
        return lambda plain, arrays: None if plain is None else inner(plain, arrays)
    if origin is tuple:
        item = _reader(get_args(hint)[0])
        return lambda plain, arrays: tuple(item(value, arrays) for value in _checked(plain, list))
    if origin is dict:
        item = _reader(get_args(hint)[1])
        return lambda plain, arrays: {key: item(value, arrays) for key, value in _checked(plain, dict).items()}
    if is_dataclass(hint):
        return _dataclass_reader(hint)
    if issubclass(hint, BaseModel):
        return lambda plain, _: hint.model_validate_json(json.dumps(plain))
    return lambda plain, _: _checked(plain, hint)


def _dataclass_reader(kind: Any) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    def read(plain: Any, arrays: list[NDArray[Any]]) -> Any:
        if _checked(plain, dict).keys() != readers.keys():
            raise CodecError(f"not a {kind.__name__}: fields {', '.join(plain)}")
        return kind(**{name: reader(plain[name], arrays) for name, reader in readers.items()})

    return read


def _array_reader(dtype: str) -> Reader:
    def read(plain: Any, arrays: list[NDArray[Any]]) -> NDArray[Any]:
        array = arrays[_checked(plain, int)]
        if array.dtype.str != dtype or plain < 0:
            raise CodecError(f"not a record: an array of {array.dtype.str} where {dtype} is wanted")
        return array

    return read


def _checked(plain: Any, kind: type) -> Any:
    if type(plain) is not kind:
        raise CodecError(f"not a record: {type(plain).__name__} where {kind.__name__} is wanted")
    return plain
