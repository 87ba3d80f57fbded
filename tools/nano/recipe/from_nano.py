"""Step 0 of a run that goes on: the checkpoint that ships -> coarse.pt, semantic.pt, codec.pt, rvq.pt, presets.pkl.   usage: from_nano.py NANO_FOLDER SHARED_RVQ
mean, scale and the zero codes of the latent space are not in the checkpoint; the first nano's rvq.pt has them."""
import sys, json, pickle, numpy as np, torch
from safetensors.torch import load_file
from common import *
from export import LOUDER
t = {k: v.float() if v.is_floating_point() else v for k, v in load_file(sys.argv[1] + '/model.safetensors').items()}; c = json.load(open(sys.argv[1] + '/config.json'))
part = lambda p: {k[len(p):]: v for k, v in t.items() if k.startswith(p)}
pick = lambda d: {k: d[k] for k in ('input_vocab_size', 'output_vocab_size', 'block_size', 'hidden_size', 'num_layers', 'num_heads')}
torch.save(dict(model=part('coarse_acoustics.'), cfg=pick(c['coarse_acoustics_config'])), 'coarse.pt')
s = part('semantic.'); W = s['input_embeds_layer.weight']; s['input_embeds_layer.weight'] = torch.cat([W[:TEXT0 + NTRAIN], W[TEXT0 + VOCAB:]]); lex = W[TEXT0:TEXT0 + VOCAB].clone(); lex[:NTRAIN] = 0
torch.save(dict(model=s, cfg=pick(c['semantic_config']), lex=lex.half()), 'semantic.pt')
k = part('codec_model.'); E = torch.stack([t[f'codec_model.quantizer.layers.{i}.codebook.embed'] for i in range(8)])
for i in range(8): k[f'quantizer.layers.{i}.codebook.embed_avg'] = E[i].clone()       # export.py strips them
p = [n for n in k if n.startswith('decoder.layers') and 'original0' in n]; last = max({int(n.split('.')[2]) for n in p}); k[f'decoder.layers.{last}.conv.parametrizations.weight.original0'] /= LOUDER; k[f'decoder.layers.{last}.conv.bias'] /= LOUDER; k['encoder.layers.0.conv.parametrizations.weight.original0'] *= LOUDER
torch.save(dict(model=k, E=E), 'codec.pt'); torch.save({n[8:]: v for n, v in k.items() if n.startswith('encoder.')}, 'codec_enc.pt')
q = torch.load(sys.argv[2]); torch.save(dict(mean=q['mean'], scale=q['scale'], zero=q['zero'], books=[E[i, :, :24].clone() for i in (0, 2, 3, 4, 5, 6, 7)]), 'rvq.pt')
print('zero codes at their places', [float(E[i, q['zero'][i]].abs().sum()) for i in range(2, 8)], last, [n for n in k if 'quantizer' in n][:4])
ld = lambda v, x: np.load(f'{sys.argv[1]}/speaker_embeddings/{v}_{x}_prompt.npy')
pickle.dump({v: dict(sem=ld(v, 'semantic'), codes=ld(v, 'fine'), text='') for v in ('en_speaker_0', 'en_speaker_1')}, open('presets.pkl', 'wb'))
