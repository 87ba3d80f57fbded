"""One work by PyTorch on the processor: `pytorch.py WORK TENSORS`, both as JSON. Protocol: that of worker.ts."""
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(os.cpu_count() or 1)
torch.set_grad_enabled(False)


def noise(spec):
    """The values of work.ts: a hash of index and seed (kernels/self_test/noise.ts)."""
    count = int(np.prod(spec["shape"]))
    with np.errstate(over="ignore"):
        x = np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x9E3779B1)
        x ^= np.uint32(((spec["seed"] + 1) * 0x85EBCA6B) & 0xFFFFFFFF)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(13)
    values = (x.astype(np.float64) / 2**31 - 1) * spec["scale"]
    return torch.from_numpy(values.astype(np.float32)).reshape(spec["shape"])


def gpt(work, w):
    heads, width, rows = work["heads"], work["width"], work["rows"]
    causal = work["causal"] and rows > 1
    # Linear layers are stored [out, in], as models have them.
    w = {k: v.t().contiguous() if v.dim() == 2 and k != "x" else v for k, v in w.items()}

    def run():
        x = w["x"]
        for i in range(work["layers"]):
            qkv = F.linear(F.layer_norm(x, (width,)), w[f"qkv.{i}"])
            q, k, v = (t.view(rows, heads, width // heads).transpose(0, 1) for t in qkv.split(width, -1))
            if work["past"] > 0:
                k, v = torch.cat([w[f"past_k.{i}"], k], 1), torch.cat([w[f"past_v.{i}"], v], 1)
            a = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)[0]
            x = x + F.linear(a.transpose(0, 1).reshape(rows, width), w[f"out.{i}"])
            hidden = F.gelu(F.linear(F.layer_norm(x, (width,)), w[f"mlp_in.{i}"]))
            x = x + F.linear(hidden, w[f"mlp_out.{i}"])
        return x

    return run


def codec(work, w):
    lstm = torch.nn.LSTM(512, 512, 2)
    for layer in (0, 1):
        for part in ("ih", "hh"):
            getattr(lstm, f"weight_{part}_l{layer}").copy_(w[f"lstm.{part}.{layer}"])
            getattr(lstm, f"bias_{part}_l{layer}").copy_(w[f"lstm.bias_{part}.{layer}"])

    def conv(x, name, kernel):
        padded = F.pad(x, (kernel - 1, 0), mode="reflect") if kernel > 1 else x
        return F.conv1d(padded, w[f"{name}.weight"], w[f"{name}.bias"])

    def run():
        x = conv(w["x"].t()[None], "first", 7)
        x = x + lstm(x[0].t())[0].t()[None]
        for i, stride in enumerate((8, 5, 4, 2)):
            x = F.conv_transpose1d(F.elu(x), w[f"up.{i}.weight"], w[f"up.{i}.bias"], stride)[..., :-stride]
            inner = conv(F.elu(x), f"inner.{i}", 3)
            x = conv(x, f"shortcut.{i}", 1) + conv(F.elu(inner), f"outer.{i}", 1)
        return conv(F.elu(x), "last", 7)

    return run


def send(message):
    print("@" + json.dumps(message), flush=True)


def main():
    work, specs = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    began = time.perf_counter()
    weights = {name: noise(spec) for name, spec in specs.items()}
    run = gpt(work, weights) if work["kind"] == "gpt" else codec(work, weights)
    loaded = time.perf_counter()
    values = run().flatten()
    count = min(64, len(values))
    sample = [float(values[math.floor(i * len(values) / count)]) for i in range(count)]
    milliseconds = {"load": (loaded - began) * 1e3, "first": (time.perf_counter() - loaded) * 1e3}
    send({"device": "processor", "version": torch.__version__, **milliseconds, "sample": sample})
    for line in sys.stdin:
        if line.strip() != "run":
            break
        start = time.perf_counter()
        run().sum().item()
        send({"milliseconds": (time.perf_counter() - start) * 1e3})


main()
