#!/usr/bin/env python3
"""F16 and BF16 as NumPy and PyTorch round them.

    small_floats.py small_floats.safetensors           writes floats, and the same as F16 and BF16
    small_floats.py --check small_floats.safetensors   computes them again and compares; exit 77 where NumPy is missing

"f16" and "all_f16" (every half there is, as float) are NumPy's, "bf16" is PyTorch's; without PyTorch it is not checked.
"""
import hashlib
import json
import struct
import sys

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
try:
    import torch
    import torch.nn  # where PyTorch is missing the folder torch beside this file passes for it
except ImportError:
    torch = None


def floats():
    edges = [0.0, -0.0, 1.0, 65504.0, 65519.99, 65520.0, 65536.0, -65520.0, 3.4028235e38, -3.4028235e38, 3.3961776e38,
             2.0**-14, 2.0**-24, 2.0**-25, 2.0**-25 * 1.0000001, 2.0**-26, 2.0**-149, float("inf"), float("-inf")]
    ties = [1 + k * 2.0**-11 for k in range(8)] + [1 + k * 2.0**-8 for k in range(8)]
    rng = np.random.default_rng(1)
    spread = rng.standard_normal(700) * 2.0 ** rng.integers(-30, 20, 700)
    wide = rng.integers(0, 2**32, 600, dtype=np.uint32).view(np.float32)
    everything = np.concatenate([np.array(edges + ties), spread, wide[np.isfinite(wide)]])
    return everything.astype(np.float32)


def tensors():
    x = floats()
    with np.errstate(over="ignore"):
        found = {"floats": ("F32", x.tobytes()), "f16": ("F16", x.astype(np.float16).tobytes())}
    if torch is not None:
        found["bf16"] = ("BF16", torch.tensor(x).to(torch.bfloat16).view(torch.int16).numpy().tobytes())
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    return found, hashlib.sha256(halves.astype(np.float32).tobytes()).hexdigest()


def write(path):
    found, digest = tensors()
    assert torch is not None, "PyTorch is needed to write the file"
    header, data = {"__metadata__": {"all_f16": digest}}, b""
    for name, (dtype, content) in found.items():
        size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
        header[name] = {"dtype": dtype, "shape": [len(content) // size], "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def check(path):
    raw = open(path, "rb").read()
    length, = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    found, digest = tensors()
    assert header["__metadata__"]["all_f16"] == digest
    for name, (dtype, content) in found.items():
        begin, end = header[name]["data_offsets"]
        assert header[name]["dtype"] == dtype and data[begin:end] == content, name
    print("as NumPy" + (" and PyTorch round" if torch is not None else " rounds"))


if __name__ == "__main__":
    check(sys.argv[2]) if sys.argv[1] == "--check" else write(sys.argv[1])
