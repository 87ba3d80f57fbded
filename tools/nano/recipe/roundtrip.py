"""Step 8b. The encoder: words lost between what the checkpoint says and what it says after encode and decode.  usage: roundtrip.py OUTDIR"""
import sys, json, torch, numpy as np
from hear import *
from transformers import BarkModel, BarkProcessor
m = BarkModel.from_pretrained(sys.argv[1]).eval(); p = BarkProcessor.from_pretrained(sys.argv[1]); S = [x.strip() for x in open('everyday_test.txt')]; H = []; same = []
with torch.no_grad():
    for i, t in enumerate(S):
        y = m.generate(**p(t, voice_preset=f'en_speaker_{i % 2}'), do_sample=False, fine_temperature=None)[0]; c = m.codec_model.encode(y[None, None], bandwidth=6.0).audio_codes; z = m.codec_model.decode(c, [None]).audio_values[0, 0]
        H.append((t, hear(y.numpy()), hear(z.numpy()), i % 2))
for v in (0, 1): print(f'en_speaker_{v}', 'before', round(wer([(t, a) for t, a, _, w in H if w == v]), 3), 'after', round(wer([(t, b) for t, _, b, w in H if w == v]), 3), flush=True)
for t, a, b, _ in H[:6]: print('  ', t, '|', a, '|', b)
