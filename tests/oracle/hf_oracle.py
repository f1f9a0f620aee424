#!/usr/bin/env python3
"""Small checkpoints as Hugging Face's transformers save them, and the logits that its models give.

    hf_oracle.py FOLDER           writes FOLDER/NAME/{config.json, model.safetensors, expected.safetensors}
    hf_oracle.py --check FOLDER   computes them again and compares; exit 77 where NumPy is missing

Written after transformers' modeling_llama.py, modeling_bitnet.py and integrations/bitnet.py, and 1bitLLM's
modeling_bitnet.py, in NumPy and double precision; nothing is taken from bitlab. Each model has the first seed with
which nothing lies so close to a rounding threshold that single precision could fall on the other side.
"""
import json
import pathlib
import struct
import sys

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TOKENS = [1, 7, 3, 3, 19, 0, 11, 23, 5]
BASE = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            vocab_size=24, max_position_embeddings=32, rms_norm_eps=1e-5, torch_dtype="float32", bos_token_id=1,
            eos_token_id=2)
BITNET = dict(architectures=["BitNetForCausalLM"], model_type="bitnet", hidden_act="relu2", rope_theta=500000.0)


def quantization(linear_class, mode):
    return dict(quant_method="bitnet", linear_class=linear_class, quantization_mode=mode)


MODELS = {  # name: (config, how weights are stored, files)
    "llama": (dict(BASE, architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu", rope_theta=10000.0,
                   tie_word_embeddings=False), "F32", 1),
    "llama_wide_heads": (dict(BASE, architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu",
                              head_dim=6, num_key_value_heads=1, tie_word_embeddings=True), "F16", 3),
    "masters": (dict(BASE, **BITNET, tie_word_embeddings=True,
                     quantization_config=quantization("autobitlinear", "online")), "BF16", 2),
    "multiply": (dict(BASE, **BITNET, tie_word_embeddings=True,
                      quantization_config=quantization("autobitlinear", "offline")), "packed", 1),
    "divide": (dict(BASE, architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu",
                    rope_theta=500000.0, tie_word_embeddings=False,
                    quantization_config=dict(quant_method="bitnet", modules_to_not_convert=None)), "packed", 1),
    "onebit": (dict(BASE, architectures=["BitnetForCausalLM"], model_type="llama", hidden_act="silu",
                    rope_theta=10000.0, rope_scaling=None, weight_bits=1, input_bits=8, tie_word_embeddings=True),
               "F32", 1),
}
ENOUGH = 1e-3  # least distance of an activation to a rounding threshold, in steps of the quantiser


def to_bf16(x):
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (np.asarray(bits).astype(np.uint32) << 16).view(np.float32)


class Model:
    def __init__(self, config, storage, seed):
        self.c, self.storage, self.rng = config, storage, np.random.default_rng(seed)
        self.tensors, self.effective, self.scales = {}, {}, {}
        self.margin = np.inf
        self.ternary = storage == "packed" or "weight_bits" in config or "quantization_config" in config
        self.sub_norms = {"LlamaForCausalLM": None, "BitNetForCausalLM": ("attn_sub_norm", "ffn_sub_norm"),
                          "BitnetForCausalLM": ("inner_attn_ln", "ffn_layernorm")}[config["architectures"][0]]
        self.head_dim = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
        self.make()

    # What is stored, and what the model computes with.
    def store(self, name, x):
        if self.storage == "BF16":
            self.tensors[name] = ("BF16", to_bf16(x))
            self.effective[name] = from_bf16(to_bf16(x)).astype(np.float64)
        else:
            dtype = np.float16 if self.storage == "F16" else np.float32
            self.tensors[name] = ("F16" if self.storage == "F16" else "F32", x.astype(dtype))
            self.effective[name] = x.astype(dtype).astype(np.float64)

    def linear(self, name, rows, cols):
        x = self.rng.standard_normal((rows, cols)) * 0.4
        if not self.ternary:
            return self.store(name, x)
        if self.storage != "packed":
            self.store(name, x)
            w = self.effective[name]
            scale = 1.0 / max(np.abs(w).mean(), 1e-5)
            self.effective[name] = np.clip(np.round(w * scale), -1, 1) / scale
            self.keep_away(np.abs(w) * scale, 0.05)
            return
        codes = np.clip(np.round(x / np.abs(x).mean()), -1, 1).astype(np.int64)
        quarter = rows // 4
        packed = sum((codes[i * quarter:(i + 1) * quarter] + 1) << (2 * i) for i in range(4))
        self.tensors[name] = ("U8", packed.astype(np.uint8))
        divide = "linear_class" not in self.c["quantization_config"]
        stored = to_bf16([1 / np.abs(x).mean() if divide else np.abs(x).mean()])
        self.tensors[name + "_scale"] = ("BF16", stored)
        value = from_bf16(stored).astype(np.float64)[0]
        self.effective[name] = codes / value if divide else codes * value

    # Weights are scaled by one division, activations come through many roundings: `unit` tells which.
    def keep_away(self, x, unit):
        self.margin = min(self.margin, np.abs(x - np.floor(x) - 0.5).min() / unit)

    def norm_weight(self, name, n):
        self.store(name, 1 + 0.2 * self.rng.standard_normal(n))

    def make(self):
        c = self.c
        heads, keys = (c[k] * self.head_dim for k in ("num_attention_heads", "num_key_value_heads"))
        hidden, inner = c["hidden_size"], c["intermediate_size"]
        self.store("model.embed_tokens.weight", self.rng.standard_normal((c["vocab_size"], hidden)))
        for n in range(c["num_hidden_layers"]):
            at = f"model.layers.{n}."
            self.norm_weight(at + "input_layernorm.weight", hidden)
            self.linear(at + "self_attn.q_proj.weight", heads, hidden)
            self.linear(at + "self_attn.k_proj.weight", keys, hidden)
            self.linear(at + "self_attn.v_proj.weight", keys, hidden)
            self.linear(at + "self_attn.o_proj.weight", hidden, heads)
            self.norm_weight(at + "post_attention_layernorm.weight", hidden)
            self.linear(at + "mlp.gate_proj.weight", inner, hidden)
            self.linear(at + "mlp.up_proj.weight", inner, hidden)
            self.linear(at + "mlp.down_proj.weight", hidden, inner)
            if self.sub_norms:
                self.norm_weight(f"{at}self_attn.{self.sub_norms[0]}.weight", heads)
                self.norm_weight(f"{at}mlp.{self.sub_norms[1]}.weight", inner)
        self.norm_weight("model.norm.weight", hidden)
        if not c["tie_word_embeddings"]:
            self.store("lm_head.weight", self.rng.standard_normal((c["vocab_size"], hidden)) * 0.3)

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.c["rms_norm_eps"]) * self.effective[name]

    def project(self, x, name):
        if self.ternary:
            scaled = x * (127 / np.maximum(np.abs(x).max(-1, keepdims=True), 1e-5))
            self.keep_away(scaled, 1)
            x = np.clip(np.round(scaled), -128, 127) / (127 / np.maximum(np.abs(x).max(-1, keepdims=True), 1e-5))
        return x @ self.effective[name].T

    def rotate(self, x):  # T x heads x D: rotate_half
        half = self.head_dim // 2
        angles = np.arange(len(x))[:, None] * self.c.get("rope_theta", 10000.0) ** (-np.arange(half) / half)
        cos, sin = (np.concatenate([f(angles)] * 2, -1)[:, None, :] for f in (np.cos, np.sin))
        return x * cos + np.concatenate([-x[..., half:], x[..., :half]], -1) * sin

    def attention(self, x, at):
        T, D = len(x), self.head_dim
        q, k, v = (self.project(x, f"{at}self_attn.{p}_proj.weight").reshape(T, -1, D) for p in "qkv")
        q, k = self.rotate(q), self.rotate(k)
        k, v = (np.repeat(t, q.shape[1] // t.shape[1], axis=1) for t in (k, v))
        scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(D)
        scores = np.where(np.tril(np.ones((T, T), bool)), scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        y = np.einsum("hts,shd->thd", weights, v).reshape(T, -1)
        if self.sub_norms:
            y = self.norm(y, f"{at}self_attn.{self.sub_norms[0]}.weight")
        return self.project(y, at + "self_attn.o_proj.weight")

    def mlp(self, x, at):
        gate, up = (self.project(x, f"{at}mlp.{p}_proj.weight") for p in ("gate", "up"))
        y = (np.maximum(gate, 0) ** 2 if self.c["hidden_act"] == "relu2" else gate / (1 + np.exp(-gate))) * up
        if self.sub_norms:
            y = self.norm(y, f"{at}mlp.{self.sub_norms[1]}.weight")
        return self.project(y, at + "mlp.down_proj.weight")

    def logits(self):
        x = self.effective["model.embed_tokens.weight"][TOKENS]
        for n in range(self.c["num_hidden_layers"]):
            at = f"model.layers.{n}."
            x = x + self.attention(self.norm(x, at + "input_layernorm.weight"), at)
            x = x + self.mlp(self.norm(x, at + "post_attention_layernorm.weight"), at)
        head = "model.embed_tokens.weight" if self.c["tie_word_embeddings"] else "lm_head.weight"
        return self.norm(x, "model.norm.weight") @ self.effective[head].T


def safetensors(tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, x) in tensors.items():
        content = np.ascontiguousarray(x).tobytes()
        header[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def shards(tensors, count):
    """File names and contents: one file, or several and their index."""
    if count == 1:
        return {"model.safetensors": safetensors(tensors)}
    names = list(tensors)
    files, index = {}, {}
    for i in range(count):
        file = f"model-{i + 1:05}-of-{count:05}.safetensors"
        part = {name: tensors[name] for name in names[i::count]}
        files[file] = safetensors(part)
        index.update({name: file for name in part})
    files["model.safetensors.index.json"] = json.dumps(
        {"metadata": {"total_size": sum(x.nbytes for _, x in tensors.values())}, "weight_map": index}).encode()
    return files


def folder_of(name):
    config, storage, count = MODELS[name]
    for seed in range(1, 1000):
        model = Model(config, storage, seed)
        logits = model.logits()
        if not model.ternary or model.margin > ENOUGH:
            break
    files = shards(model.tensors, count)
    files["config.json"] = (json.dumps(config, indent=1) + "\n").encode()
    files["expected.safetensors"] = safetensors(
        {"tokens": ("I64", np.array(TOKENS, np.int64)), "logits": ("F64", logits)})
    return files, seed, model.margin


def main(check, folder):
    for name in MODELS:
        files, seed, margin = folder_of(name)
        print(f"{name}: seed {seed}, margin {margin:.2g}")
        for file, content in files.items():
            path = pathlib.Path(folder) / name / file
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            elif file != "expected.safetensors":
                assert path.read_bytes() == content, path
            else:  # other versions of NumPy sum in another order
                numbers = [np.frombuffer(c[-8 * len(TOKENS) * 24:], np.float64) for c in (content, path.read_bytes())]
                assert np.abs(numbers[0] - numbers[1]).max() < 1e-9, path


if __name__ == "__main__":
    main(sys.argv[1] == "--check", sys.argv[-1])
