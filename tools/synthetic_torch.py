"""A synthetic checkpoint of true size as torch saves it: `python tools/synthetic_torch.py SRC DEST hf|suno` (torch, safetensors).

SRC: a checkpoint that tools/check_sizes.ts wrote (safetensors). hf: pytorch_model.bin as published, with tied heads that
share a storage and causal masks. suno: text_2.pt, coarse_2.pt, fine_2.pt with suno's names and arguments, EnCodec's .th.
"""

import json
import re
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

source, target, layout = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
target.mkdir(parents=True, exist_ok=True)
state = load_file(source / "model.safetensors")
for i in range(7):
    state[f"fine_acoustics.lm_heads.{i}.weight"] = state[f"fine_acoustics.input_embeds_layers.{i + 1}.weight"]
config = json.loads((source / "config.json").read_text())
# Files of 2023 name the weight norm otherwise and hold the masks of causal attention.
for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
    for name in [name for name in state if name.endswith(new)]:
        state[name.replace(f"parametrizations.weight.{new}", old)] = state.pop(name)
for part in ("semantic", "coarse_acoustics"):
    for i in range(config[f"{part}_config"]["num_layers"]):
        size = config[f"{part}_config"]["block_size"]
        state[f"{part}.layers.{i}.attn.bias"] = torch.tril(torch.ones(size, size, dtype=torch.bool))[None, None]

SUNO_NAMES = [
    ("input_embeds_layer", "wte"),
    ("position_embeds_layer", "wpe"),
    ("layernorm_final", "ln_f"),
    ("layernorm_1", "ln_1"),
    ("layernorm_2", "ln_2"),
    ("layers.", "h."),
    ("mlp.in_proj", "mlp.c_fc"),
    ("att_proj", "c_attn"),
    ("out_proj", "c_proj"),
]
# Layers of the decoder of EnCodec 24 kHz that are transposed convolutions.
TRANSPOSED = re.compile(r"(decoder\.model\.(?:3|6|9|12))\.conv\.")


def suno_name(name: str) -> str:
    for new, old in [] if name.startswith("lm_head") else SUNO_NAMES:
        name = name.replace(new, old)
    return f"_orig_mod.{name}" if name.startswith("lm_head") else f"_orig_mod.transformer.{name}"


def codec_name(name: str) -> str:
    name = re.sub(r"^(encoder|decoder)\.layers\.", r"\1.model.", name)
    name = re.sub(r"^quantizer\.layers\.(\d+)\.codebook\.", r"quantizer.vq.layers.\1._codebook.", name)
    transposed = TRANSPOSED.sub(r"\1.convtr.convtr.", name)
    return transposed if transposed != name else name.replace(".conv.", ".conv.conv.")


def save_suno() -> None:
    for part, file in (("semantic", "text_2"), ("coarse_acoustics", "coarse_2"), ("fine_acoustics", "fine_2")):
        fields = config[f"{part}_config"]
        args = {"n_layer": fields["num_layers"], "n_head": fields["num_heads"], "n_embd": fields["hidden_size"]}
        args |= {"block_size": fields["block_size"], "bias": False, "dropout": 0.0}
        args |= {key: fields[key] for key in fields if key.endswith("vocab_size") or key.startswith("n_codes")}
        weights = {suno_name(n[len(part) + 1 :]): t for n, t in state.items() if n.startswith(f"{part}.")}
        torch.save({"model": weights, "model_args": args, "best_val_loss": torch.tensor(2.5)}, target / f"{file}.pt")
    codec = {codec_name(n[len("codec_model.") :]): t for n, t in state.items() if n.startswith("codec_model.")}
    torch.save(codec, target / "encodec_24khz-d7cc33bc.th")


if layout == "hf":
    torch.save(state, target / "pytorch_model.bin")
    copied = ["config.json", "generation_config.json", "vocab.txt", "tokenizer_config.json"]
else:
    save_suno()
    copied = ["vocab.txt"]
for name in copied:
    shutil.copy(source / name, target / name)
