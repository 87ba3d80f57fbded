"""Step 3b. v1's coarse GPT and decoder as a start for v2's: semantic rows by the nearest v1 phone, positions by time.  usage: warm.py V1_FOLDER   writes coarse_warm.pt, codec.pt"""
import sys, torch
from common import *
V = sys.argv[1] if len(sys.argv) > 1 else 'V1'
PH1 = "pau aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh".split(); I1 = {p: i for i, p in enumerate(PH1)}
MAP = dict(zip(CONS, "n t r s d l k z m dh p w v b f hh ng g d sh y jh ch th zh".split())) | dict(zip(VOWELS, "ax ih eh ah iy ae ih ax aa ao uw ay ow ey uh aw er oy".split())) | dict(zip(STRESSED, "eh ih ey ae aa ah ay iy ow ao uw er aw uh oy".split())) | {p: 'pau' for p in PAUSES}
assert all(p in MAP for p in PH)
d = torch.load(V + '/coarse.pt'); w = d['model']; c = d['cfg']; N1 = 720; E1, P1, H1 = w['input_embeds_layer.weight'], w['position_embeds_layer.weight'], w['lm_head.weight']; H = E1.shape[1]
E = torch.randn(C_VOCAB, H) * .02; Hd = torch.randn(C_VOCAB, H) * .02
for i, p in enumerate(PH):
    for r in range(RMAX): E[i * RMAX + r] = E1[I1[MAP[p]] * 16 + min(15, 2 * r + 1)] + .01 * torch.randn(H)
E[PTR:PTR + S] = E1[656:720]; E[NSEM:NSEM + 2 * CB] = E1[N1:N1 + 2 * CB]; E[C_PAD] = E1[N1 + 2 * CB]; E[C_INFER] = E1[N1 + 2 * CB + 2]; Hd[NSEM:] = H1[N1:N1 + C_VOCAB - NSEM]
m = torch.load('rvq.pt')['c1map']; E[NSEM + CB:NSEM + 2 * CB] = E1[N1 + CB + m] + .01 * torch.randn(CB, H); Hd[NSEM + CB:NSEM + 2 * CB] = H1[N1 + CB + m] + .01 * torch.randn(CB, H)
P = torch.cat([(P1[0:128:2] + P1[1:128:2]) / 2, P1[128:129], P1[129:129 + CHIST + SLIDE + 1]]); c.update(input_vocab_size=C_VOCAB, output_vocab_size=C_VOCAB, block_size=len(P)); w.update({'input_embeds_layer.weight': E, 'position_embeds_layer.weight': P, 'lm_head.weight': Hd})
torch.save(dict(model=w, cfg=c), 'coarse_warm.pt'); print(c)
