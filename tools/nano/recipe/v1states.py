"""Step 0b. The first nano's checkpoint (taught by flite, BSD-like) -> V1/*.pt, the states that warm starts read.  usage: v1states.py NANO_FOLDER SHARED_RVQ
mean, scale and the zero codes of v1's latent space are not in the checkpoint; the second recipe's rvq.pt carries them over unchanged from v1's."""
import sys, os, json, torch
from safetensors.torch import load_file
t = {k: v.float() if v.is_floating_point() else v for k, v in load_file(sys.argv[1] + '/model.safetensors').items()}; c = json.load(open(sys.argv[1] + '/config.json')); os.makedirs('V1', exist_ok=True)
def part(p): return {k[len(p):]: v for k, v in t.items() if k.startswith(p)}
pick = lambda d: {k: d[k] for k in ('input_vocab_size', 'output_vocab_size', 'block_size', 'hidden_size', 'num_layers', 'num_heads')}
torch.save(dict(model=part('coarse_acoustics.'), cfg=pick(c['coarse_acoustics_config'])), 'V1/coarse.pt'); torch.save(dict(model=part('fine_acoustics.'), cfg=pick(c['fine_acoustics_config'])), 'V1/fine.pt')
E = torch.stack([t[f'codec_model.quantizer.layers.{i}.codebook.embed'] for i in range(8)]); torch.save(dict(model=part('codec_model.'), E=E), 'V1/codec.pt')
q = torch.load(sys.argv[2]); books = [E[i, :, :24].clone() for i in (0, 2, 3, 4, 5, 6, 7)]; torch.save(dict(mean=q['mean'], scale=q['scale'], books=books, zero=q['zero']), 'V1/rvq.pt')
for i in range(8): print(i, 'spectral', E[i, :, :24].norm().item(), 'excitation', E[i, :, 24:].norm().item(), 'zero rows', (E[i].abs().sum(1) == 0).nonzero()[:, 0].tolist()[:4], q['zero'][i] if i < len(q['zero']) else None)
print({k: v.shape for k, v in list(part('codec_model.').items())[:6]}, [k for k in t if k.startswith('coarse')][:8])
