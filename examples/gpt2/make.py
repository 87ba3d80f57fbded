"""Makes model.safetensors and expected.json: a GPT-2 of 0.5 million weights that spells English, byte by byte.

    pip install torch==2.13.0 transformers==5.23.0 safetensors
    python examples/gpt2/make.py TEXT [STEPS]     # TEXT: a file of plain text; the stored one learned the transcripts of LJ Speech (public domain)

It is transformers' GPT2LMHeadModel with `activation_function: "gelu"`; expected.json holds what transformers writes greedily.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

text, steps = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1500
folder = Path(__file__).parent
torch.manual_seed(0)
data = torch.tensor(list(text.read_text().encode("ascii", "ignore")))
config = GPT2Config(
    vocab_size=128, n_positions=256, n_embd=96, n_layer=4, n_head=4, activation_function="gelu",
    resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=10, eos_token_id=10,
)
model = GPT2LMHeadModel(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.05)
length = 128
for step in range(steps):
    for group in optimizer.param_groups:
        group["lr"] = 3e-3 * min(1, (step + 1) / 100) * max(0.02, 1 - step / steps)
    at = torch.randint(len(data) - length - 1, (16,))
    ids = torch.stack([data[i : i + length] for i in at])
    loss = model(ids, labels=ids).loss
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 100 == 0:
        print(f"{step} {loss.item():.3f}", flush=True)

model.eval()
# lm_head is wte, transposed: stored once.
tensors = {name: value.contiguous() for name, value in model.state_dict().items() if name != "lm_head.weight"}
save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
config.save_pretrained(folder)
prompt = "The old man "
ids = model.generate(torch.tensor([list(prompt.encode())]), max_new_tokens=100, do_sample=False, pad_token_id=0, eos_token_id=None)
expected = {"prompt": prompt, "text": bytes(ids[0].tolist()).decode()}
(folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
print(expected["text"])
