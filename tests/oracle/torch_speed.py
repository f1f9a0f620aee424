#!/usr/bin/env python3
"""PyTorch's speed on the same models, as a yardstick: milliseconds per training step on one thread.

Wall and CPU time of a step: they agree on an idle machine, and where they do not, the wall time is not to be quoted.

    torch_speed.py [STEPS]      median over STEPS steps (20) of each size and arm

A step is batch, forward, backward and AdamW. Heads are fused: one product for q, k and v. `bitlinear` is the usual
fake quantisation with a straight-through estimator.
"""
import math
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SIZES = {  # layers, heads, width, positions, batch
    "babygpt-vs-babybitnet": (4, 4, 64, 32, 16),
    "nanogpt-cpu": (4, 4, 128, 64, 12),
    "gpt-10m": (6, 6, 384, 256, 8),
}
VOCAB = 65


class BitLinear(nn.Linear):
    def forward(self, x):
        sx = 127 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
        sw = 1 / self.weight.abs().mean().clamp(min=1e-5)
        xq = x + ((x * sx).round().clamp(-128, 127) / sx - x).detach()
        wq = self.weight + ((self.weight * sw).round().clamp(-1, 1) / sw - self.weight).detach()
        return F.linear(xq, wq)


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Block(nn.Module):
    def __init__(self, ternary, width, heads, positions):
        super().__init__()
        # Three matrices side by side stand for wq, wk, wv; BitLinear's one scale for all three changes no work.
        linear = (lambda i, o: BitLinear(i, o, bias=False)) if ternary else nn.Linear
        self.heads, self.norm1, self.norm2 = heads, RmsNorm(width), RmsNorm(width)
        self.qkv = BitLinear(width, 3 * width, bias=False) if ternary else nn.Linear(width, 3 * width, bias=False)
        self.wo, self.w1, self.w2 = linear(width, width), linear(width, 4 * width), linear(4 * width, width)
        self.register_buffer("future", torch.ones(positions, positions, dtype=torch.bool).triu(1))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2)
                   for t in self.qkv(self.norm1(x)).split(C, -1))
        scores = (q @ k.transpose(2, 3) / math.sqrt(C // self.heads)).masked_fill(self.future, -math.inf)
        x = x + self.wo((scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, C))
        return x + self.w2(F.relu(self.w1(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, ternary, layers, heads, width, positions):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCAB, width), nn.Embedding(positions, width)
        self.blocks = nn.Sequential(*[Block(ternary, width, heads, positions) for _ in range(layers)])
        self.norm, self.head = RmsNorm(width), nn.Linear(width, VOCAB)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.token(tokens) + self.position.weight)))


def measure(ternary, layers, heads, width, positions, batch, steps):
    torch.manual_seed(1)
    model = Gpt(ternary, layers, heads, width, positions)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    data = torch.randint(VOCAB, (100000,))
    wall, cpu = [], []
    for step in range(steps + 3):
        start, cpu_start = time.perf_counter(), time.process_time()
        at = torch.randint(len(data) - positions - 1, (batch,))
        tokens = torch.stack([data[i:i + positions] for i in at])
        targets = torch.stack([data[i + 1:i + positions + 1] for i in at])
        loss = F.cross_entropy(model(tokens).view(-1, VOCAB), targets.view(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step >= 3:
            wall.append(1000 * (time.perf_counter() - start))
            cpu.append(1000 * (time.process_time() - cpu_start))
    matmul = sum(p.numel() for name, p in model.named_parameters()
                 if p.dim() == 2 and not name.startswith(("token", "position")))
    flops = 6 * (matmul + layers * 2 * positions * width) * batch * positions
    return statistics.median(wall), statistics.median(cpu), flops


def sgemm_gflops():
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    best = math.inf
    for _ in range(10):
        start = time.process_time()
        a @ b
        best = min(best, time.process_time() - start)
    return 2 * 1024**3 / best / 1e9


def main():
    torch.set_num_threads(1)
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"torch {torch.__version__}, 1 thread, sgemm {sgemm_gflops():.0f} GFLOP/s")
    print("size                   arm        wall ms  cpu ms  tokens/cpu s  GFLOP/cpu s")
    for name, (layers, heads, width, positions, batch) in SIZES.items():
        for ternary in (False, True):
            wall, cpu, flops = measure(ternary, layers, heads, width, positions, batch, steps)
            print(f"{name:22} {'bitlinear' if ternary else 'full':10} {wall:7.2f} {cpu:7.2f} "
                  f"{1000 * batch * positions / cpu:13.0f} {flops / cpu / 1e6:12.1f}")


if __name__ == "__main__":
    main()
