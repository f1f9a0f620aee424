#!/usr/bin/env python3
"""The same GPT in PyTorch, in double precision: what bitlab must give on a fixed batch.

    gpt_oracle.py expected.safetensors           writes logits, loss and every gradient of each arm, and AdamW steps
    gpt_oracle.py --check expected.safetensors   computes them again and compares; exit 77 where torch is missing

Weights are drawn by name (philox.py), so only results are stored. Each arm has the first seed with which nothing lies
so close to a rounding threshold or to the kink of ReLU that single precision could fall on the other side.
"""
import json
import math
import struct
import sys

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import philox

BATCH, LENGTH, VOCAB, WIDTH, HIDDEN, HEADS, LAYERS = 2, 16, 17, 32, 48, 2, 2
INIT_STD, PUSH_STD, NORM_EPS, INNER_EPS = 0.3, 0.1, 1e-5, 1e-6

ARMS = {  # name: (bitlinear, norm inside, block norm, activation, tied, qkv bias, other biases, width of the scale)
    "full": (False, False, "rmsnorm", "relu", False, False, True, WIDTH),
    "bitlinear": (True, False, "rmsnorm", "relu", False, False, False, WIDTH),
    "b158": (True, True, "layernorm", "gelu", True, True, True, WIDTH // HEADS),
}


class Margin:
    """The least distance to a threshold, each kind in units of what single precision can disturb."""

    def __init__(self):
        self.least = math.inf

    def see(self, distance, unit):
        self.least = min(self.least, distance.min().item() / unit)


class Model:
    def __init__(self, arm, seed):
        (self.ternary, self.inside, self.norm_kind, self.activation, self.tied, self.qkv_bias, self.bias,
         self.scale_width) = ARMS[arm]
        self.seed, self.params, self.margin = seed, {}, Margin()

    def param(self, name, shape, start=None):
        """start None: N(0, INIT_STD); else that value. A push of N(0, PUSH_STD) moves gains and biases too."""
        if name not in self.params:
            n = int(np.prod(shape))
            base = philox.normal(self.seed, "init/" + name, INIT_STD, n) if start is None else np.full(n, float(start))
            value = (base + philox.normal(self.seed, "push/" + name, PUSH_STD, n)).astype(np.float32)
            self.params[name] = torch.tensor(value.astype(np.float64).reshape(shape), requires_grad=True)
        return self.params[name]

    def norm(self, name, x, kind, eps):
        gain = self.param(name + ".weight", [x.shape[-1]], 1)
        if kind == "layernorm":
            return F.layer_norm(x, [x.shape[-1]], gain, self.param(name + ".bias", [x.shape[-1]], 0), eps)
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * gain

    def bitlinear(self, x, w, bias):
        """Straight-through: the forward is the exact integer product, scaled once; so a sum of codes that is 0 is 0
        for the ReLU behind it too."""
        sx = 127 / x.detach().abs().amax(-1, keepdim=True).clamp(min=1e-5)
        sw = 1 / w.detach().abs().mean().clamp(min=1e-5)
        scaled = x.detach() * sx
        self.margin.see((scaled - scaled.floor() - 0.5).abs(), 2e-4)
        self.margin.see(((w.detach() * sw).abs() - 0.5).abs(), 2e-6)
        x_codes, w_codes = scaled.round().clamp(-128, 127), (w.detach() * sw).round().clamp(-1, 1)
        y = F.linear(x + (x_codes / sx - x).detach(), w + (w_codes / sw - w).detach())
        y = y + (F.linear(x_codes, w_codes) / sx / sw - y).detach()
        return y if bias is None else y + bias

    def linear(self, block, shared, parts, x, out, bias):
        """One product for several parts that share the norm inside."""
        if self.inside:
            x = self.norm(f"{block}.{shared}.norm", x, "rmsnorm", INNER_EPS)
        results = []
        for part in parts:
            w = self.param(f"{block}.{part}.weight", [out, x.shape[-1]])
            b = self.param(f"{block}.{part}.bias", [out], 0) if bias else None
            results.append(self.bitlinear(x, w, b) if self.ternary else F.linear(x, w, b))
        return results

    def attention(self, name, x):
        q, k, v = self.linear(name, "qkv", ["wq", "wk", "wv"], x, WIDTH, self.qkv_bias)
        heads = [t.view(BATCH, LENGTH, HEADS, WIDTH // HEADS).transpose(1, 2) for t in (q, k, v)]
        scores = heads[0] @ heads[1].transpose(2, 3) / math.sqrt(self.scale_width)
        future = torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)
        y = scores.masked_fill(future, -math.inf).softmax(-1) @ heads[2]
        y = y.transpose(1, 2).reshape(BATCH * LENGTH, WIDTH)
        return self.linear(name, "wo", ["wo"], y, WIDTH, self.bias)[0]

    def feed_forward(self, name, x):
        h = self.linear(name, "w1", ["w1"], x, HIDDEN, self.bias)[0]
        if self.activation == "relu":
            self.margin.see(h.detach()[h.detach() != 0].abs(), 2e-5)
        h = F.relu(h) if self.activation == "relu" else F.gelu(h)
        return self.linear(name, "w2", ["w2"], h, WIDTH, self.bias)[0]

    def logits(self, tokens):
        table = self.param("embedding.token.weight", [VOCAB, WIDTH])
        x = table[tokens] + self.param("embedding.position.weight", [LENGTH, WIDTH])
        x = x.view(BATCH * LENGTH, WIDTH)
        for i in range(LAYERS):
            block = f"blocks.{i}"
            x = x + self.attention(block + ".attn", self.norm(block + ".norm1", x, self.norm_kind, NORM_EPS))
            x = x + self.feed_forward(block + ".ffn", self.norm(block + ".norm2", x, self.norm_kind, NORM_EPS))
        x = self.norm("final_norm", x, self.norm_kind, NORM_EPS)
        bias = self.param("head.bias", [VOCAB], 0)
        return F.linear(x, table if self.tied else self.param("head.weight", [VOCAB, WIDTH]), bias)


def gpt_results(arm, seed):
    """(results by name, margin) of one arm with one seed."""
    model = Model(arm, seed)
    n = BATCH * LENGTH
    tokens = torch.tensor(philox.below(seed, "tokens", VOCAB, n)).view(BATCH, LENGTH)
    targets = torch.tensor(philox.below(seed, "targets", VOCAB, n))
    logits = model.logits(tokens)
    loss = F.cross_entropy(logits, targets)
    loss.backward()
    results = {f"{arm}.seed": np.array([seed], dtype=np.float64), f"{arm}.loss": loss.detach().numpy().reshape(1),
               f"{arm}.logits": logits.detach().numpy()}
    for name, p in model.params.items():
        results[f"{arm}.grad.{name}"] = p.grad.numpy()
    return results, model.margin.least


def adamw_results():
    """Five steps of torch.optim.AdamW on a matrix (3 x 4) and a bias (3)."""
    results = {}
    for case, (decay, decay_bias, clip) in {"plain": (0.0, True, None), "decay": (0.1, True, None),
                                            "matrices": (0.1, False, None), "clip": (0.1, True, 0.5)}.items():
        w = torch.tensor(philox.normal(1, "adamw/w", 1.0, 12).astype(np.float32).reshape(3, 4), requires_grad=True)
        b = torch.tensor(philox.normal(1, "adamw/b", 1.0, 3).astype(np.float32), requires_grad=True)
        groups = [{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": decay if decay_bias else 0}]
        optimizer = torch.optim.AdamW(groups, lr=0.03, betas=(0.9, 0.95), eps=1e-8)
        for step in range(5):
            g = philox.normal(1, f"adamw/g{step}", 1.0, 15).astype(np.float32)
            w.grad, b.grad = torch.tensor(g[:12].reshape(3, 4)), torch.tensor(g[12:])
            if clip:
                torch.nn.utils.clip_grad_norm_([w, b], clip)
            optimizer.step()
            results[f"adamw.{case}.{step}"] = np.concatenate([w.detach().numpy().ravel(), b.detach().numpy()])
    return results


def compute(known=None):
    """All results; seeds are taken from `known` or searched for."""
    results = adamw_results()
    for arm in ARMS:
        seeds = [int(known[f"{arm}.seed"][0])] if known else range(1, 2000)
        for seed in seeds:
            found, margin = gpt_results(arm, seed)
            if margin > 1:
                print(f"{arm}: seed {seed}, margin {margin:.2f}, loss {found[f'{arm}.loss'][0]:.6f}")
                results.update(found)
                break
        else:
            sys.exit(f"{arm}: no seed keeps its distance from all thresholds")
    return results


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in sorted(tensors.items()):
        raw = np.ascontiguousarray(value, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(value)), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    return {name: np.frombuffer(data[slice(*info["data_offsets"])], "<f4").reshape(info["shape"])
            for name, info in header.items()}


def main():
    torch.set_num_threads(1)
    if sys.argv[1:2] != ["--check"]:
        return write_safetensors(sys.argv[1], compute())
    committed = read_safetensors(sys.argv[2])
    fresh = compute(committed)
    if sorted(committed) != sorted(fresh):
        sys.exit(f"names differ: {sorted(set(committed) ^ set(fresh))}")
    for name, want in fresh.items():
        error = np.abs(committed[name] - want).max() / max(np.abs(want).max(), 1e-6)
        if not error < 1e-6:
            sys.exit(f"{name} must be as committed, but differs by {error:.2e} of its largest value")
    print(f"{len(fresh)} tensors are as committed")


if __name__ == "__main__":
    main()
