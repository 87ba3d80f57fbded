"""Step 6. A fine model that always answers "leave it": the code of codebooks 2..7 that is the zero vector. Codebook 0 alone keeps 97 % of the spectral variance of this teacher.
One layer of width 64, so that it costs next to nothing; fine.py trains a real one of any size.   usage: wire.py   writes fine.pt"""
import torch
from common import *
torch.manual_seed(0); m = Fine(F_VOCAB, FIN, 64, 1, 1); zero = torch.load('rvq.pt')['zero']
with torch.no_grad():
    m.layernorm_final.weight.zero_(); m.layernorm_final.bias.zero_(); m.layernorm_final.bias[0] = 1
    for n in range(2, NQ): m.input_embeds_layers[n].weight[:, 0] = 0; m.input_embeds_layers[n].weight[zero[n], 0] = 30
torch.save(dict(model=m.state_dict(), cfg=m.cfg), 'fine.pt'); x = torch.randint(0, CB, (2, 50, NQ)); print([bool((m(n, x)[..., :CB].argmax(-1) == zero[n]).all()) for n in range(2, NQ)])
