"""Step 6a. What the coarse model writes itself, at the times of the true codes: the decoder is to sound right on these, too (codec.py dec reads them).
Two passes over every window: the second one's history is the picks of the first.   usage: picks.py UTTERANCES_PER_VOICE    writes picks.pkl: codebook 0 by the utterance's place in acoustic.pkl"""
import sys, pickle, time
from common import *
from coarse import *
@torch.no_grad()
def main():
    R = pickle.load(open('acoustic.pkl', 'rb')); R = [{k: v for k, v in r.items() if k not in ('wav', 'z')} | dict(i=i) for i, r in enumerate(R)]; T, _ = split(R); d = torch.load('coarse.pt'); m = GPT(*d['cfg'].values()); m.load_state_dict(d['model']); m.eval()
    P = pickle.load(open('presets.pkl', 'rb')); V = dict(heart='en_speaker_0', low='en_speaker_1'); t0 = time.time(); out = {}; hit = []; random.seed(1)
    for voice in V:
        hs, hc = history(P[V[voice]])
        for r in random.sample(BY[voice], int(sys.argv[1])):
            co, sem = flat(r['codes']), r['sem'].astype(np.int64); own = co.copy()
            for _ in range(2):
                X, at = [], []
                for g in range(0, len(co), SLIDE):
                    s, h, t = window(sem, own, hs, hc, g // SLIDE); t = np.pad(t, (0, SLIDE - len(t)), constant_values=NSEM); X.append(np.concatenate([s, [C_INFER], h, t[:-1]])); at.append(len(h))
                n = min(len(x) for x in X); lg = torch.cat([forward(m, torch.from_numpy(x)[None])[:, a:a + SLIDE, :CB] for x, a in zip(X, at)], 1)[0, :len(co):2]
                pick = (NSEM + torch.multinomial((lg.float() / .5).softmax(-1), 1)[:, 0]).numpy(); own = co.copy(); own[::2] = pick
            hit.append((own[::2] == co[::2]).mean()); out[r['i']] = (own[::2] - NSEM).astype(np.int16)
            if len(out) % 50 == 0: print(len(out), f'{time.time() - t0:.0f}s picks that are the true code {np.mean(hit[-50:]):.3f}', flush=True)
    pickle.dump(out, open('picks.pkl', 'wb'))
if __name__ == '__main__': main()
