#!/usr/bin/env python3
"""What PyTorch makes of a BERT checkpoint: embeddings of MiniLM, and small checkpoints saved by torch.save.

    bert_oracle.py bert.json          writes the expected embeddings of all-MiniLM-L6-v2-fp16 in BITLAB_MIRROR/bert
    bert_oracle.py --check bert.json  computes them again and compares; exit 77 where torch or the weights are missing
    bert_oracle.py --save FOLDER      writes small checkpoints by torch.save: both formats, and what must be refused
    bert_oracle.py --logits FOLDER TOKEN ...   logits of a BertForSequenceClassification, as a JSON list

Written after transformers' modeling_bert.py in torch and double precision; nothing is taken from bitlab.
"""
import json
import math
import os
import pathlib
import sys

try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SHOWN = 12  # numbers of each vector
TOKENS = [  # [CLS] ... [SEP] of bert-uncased
    [101, 2023, 3185, 2001, 1037, 10218, 8569, 1012, 102],
    [101, 102],
    [101] + [1037 + 7 * i % 9973 for i in range(150)] + [102],
]


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    dtypes = {"F16": torch.float16, "F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(bytearray(data[begin:end]), dtype=dtypes[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).double()
    return tensors


def encode(weights, config, tokens):
    """All hidden states of one text: len(tokens) x width."""
    def linear(x, name):
        return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[name + ".weight"], weights[name + ".bias"],
                            config["layer_norm_eps"])

    heads = config["num_attention_heads"]
    ids = torch.tensor(tokens)
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][:len(tokens)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}."
        q, k, v = (linear(x, layer + "attention.self." + part).view(len(tokens), heads, -1).transpose(0, 1)
                   for part in ("query", "key", "value"))
        p = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).softmax(-1)
        y = (p @ v).transpose(0, 1).reshape(len(tokens), -1)
        x = norm(x + linear(y, layer + "attention.output.dense"), layer + "attention.output.LayerNorm")
        h = F.gelu(linear(x, layer + "intermediate.dense"))
        x = norm(x + linear(h, layer + "output.dense"), layer + "output.LayerNorm")
    return x


def expected(folder):
    config = json.loads((folder / "config.json").read_text())
    weights = read_safetensors(next(folder.glob("*.safetensors")))
    texts = []
    for tokens in TOKENS:
        x = encode(weights, config, tokens)
        mean = x.mean(0)
        pooled = torch.tanh(F.linear(x[0], weights["pooler.dense.weight"], weights["pooler.dense.bias"]))
        texts.append({"tokens": tokens,
                      **{name: [round(value, 6) for value in vector[:SHOWN].tolist()]
                         for name, vector in (("cls", x[0]), ("mean", mean), ("pooled", pooled))},
                      "cls_norm": round(x[0].norm().item(), 6), "mean_norm": round(mean.norm().item(), 6)})
    return {"model": "all-MiniLM-L6-v2", "texts": texts}


def logits(folder, tokens):
    config = json.loads((folder / "config.json").read_text())
    weights = {name.removeprefix("bert."): w for name, w in read_safetensors(folder / "model.safetensors").items()}
    x = encode(weights, config, tokens)[0]
    for name, activation in (("pooler.dense", torch.tanh), ("classifier", lambda z: z)):
        x = activation(F.linear(x, weights[name + ".weight"], weights[name + ".bias"]))
    return x.tolist()


def save(folder):
    """The same random tensors through torch.save's two formats, and what must be refused."""
    torch.manual_seed(1)
    weights = {"embeddings.word_embeddings.weight": torch.randn(5, 4), "half": torch.randn(3).half(),
               "bfloat": torch.randn(2, 2).bfloat16(), "long": torch.arange(3)}
    weights["shared"] = weights["embeddings.word_embeddings.weight"][2:4]  # a view into a storage
    torch.save(weights, folder / "zip.bin")
    torch.save(weights, folder / "old.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(4, 2).state_dict(), folder / "module.bin")
    training = {"state_dict": {"w": torch.nn.Parameter(torch.ones(2, 3))}, "epoch": 3, "lr": 0.5}
    torch.save(training, folder / "training.bin")
    torch.save(training, folder / "training_old.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(4, 2), folder / "whole_module.bin")
    torch.save({"w": torch.randn(3, 4).t()}, folder / "transposed.bin")


def main():
    args = sys.argv[1:]
    if args[0] == "--save":
        return save(pathlib.Path(args[1]))
    if args[0] == "--logits":
        return print(json.dumps(logits(pathlib.Path(args[1]), [int(t) for t in args[2:]])))
    check = args[0] == "--check"
    path = pathlib.Path(args[-1])
    mirror = os.environ.get("BITLAB_MIRROR", pathlib.Path(__file__).parents[2] / "../shared/data")
    folder = pathlib.Path(mirror) / "bert" / "all-MiniLM-L6-v2-fp16"
    if not folder.exists():
        print(f"skipped: {folder} is not there")
        return sys.exit(77)
    result = expected(folder)
    if not check:
        path.write_text(json.dumps(result) + "\n")
        return None
    for want, got in zip(json.loads(path.read_text())["texts"], result["texts"], strict=True):
        for key in ("cls", "mean", "pooled"):
            assert max(abs(a - b) for a, b in zip(want[key], got[key], strict=True)) < 2e-6, (key, want, got)
        assert abs(want["cls_norm"] - got["cls_norm"]) < 2e-6
    print(f"{len(result['texts'])} texts agree")
    return None


main()
