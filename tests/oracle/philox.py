"""bitlab's random numbers, written again from their definition (core/base/rng.h), so that no weights need storing."""
import numpy as np

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1


def mix(x):
    """splitmix64."""
    x = (x + 0x9E3779B97F4A7C15) & MASK64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK64
    return x ^ (x >> 31)


def stream_key(seed, purpose):
    hashed = 0xCBF29CE484222325  # FNV-1a
    for byte in purpose.encode():
        hashed = ((hashed ^ byte) * 0x100000001B3) & MASK64
    return mix(mix(seed) ^ hashed)


def philox(counter, key):
    """Philox4x32-10. counter: 4 arrays of uint64 below 2^32; key: 64 bits. Returns 4 such arrays."""
    c = [np.asarray(word, dtype=np.uint64) for word in counter]
    k0, k1 = key & MASK32, key >> 32
    low, bits = np.uint64(MASK32), np.uint64(32)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> bits) ^ c[1] ^ np.uint64(k0), b & low, (a >> bits) ^ c[3] ^ np.uint64(k1), a & low]
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return c


def normal(seed, purpose, std, n):
    """Rng(seed, purpose).fill_normal(std, out, n)."""
    count = np.arange((n + 3) // 4, dtype=np.uint64)
    zero = np.zeros_like(count)
    words = philox([count & np.uint64(MASK32), count >> np.uint64(32), zero, zero + np.uint64(1)],
                   stream_key(seed, purpose))
    out = np.empty((len(count), 4))
    for pair in (0, 2):
        u = (words[pair].astype(np.float64) + 1) * 2.0**-32
        angle = 6.283185307179586 * 2.0**-32 * words[pair + 1].astype(np.float64)
        radius = std * np.sqrt(-2.0 * np.log(u))
        out[:, pair], out[:, pair + 1] = radius * np.cos(angle), radius * np.sin(angle)
    return out.reshape(-1)[:n]


def below(seed, purpose, limit, n):
    """Rng(seed, purpose).below(limit, 0, i) for i < n."""
    index = np.arange(n, dtype=np.uint64)
    zero = np.zeros_like(index)
    words = philox([index, zero, zero, zero], stream_key(seed, purpose))
    return np.array([(((int(h) << 32) | int(l)) * limit) >> 64 for l, h in zip(words[0], words[1])])
