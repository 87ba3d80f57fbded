"""Step 3. teacher rows -> codes.  dims 0..23 of the latent = mel cepstrum of the teacher's envelope (codebooks 0, 2..7: residual k-means);
dims 24..63 = excitation (codebook 1): 40 F0 values x 24 phases of the fundamental (both exact, see teacher.py), plus 64 noise seeds counted through an unvoiced run.
The latent space (mean, scale) is v1's and codebook 0 starts from v1's centroids, so v1's decoder and coarse model are warm starts; c1map names the v1 code nearest to every excitation code.
usage: features.py N_SHARDS [FIRST_SHARD]   -> rvq.pt (when absent), acoustic.pkl"""
import sys, pickle, glob, time
from common import *
from teacher import SR, HOP, NC, KF, NPH, NSEED, UV0
HID = 64
torch.set_num_threads(1)
def assign(x, c):
    return torch.cat([(c.pow(2).sum(1)[None] - 2 * b @ c.T).argmin(1) for b in x.split(20000)])
def lloyd(x, c, iters, seed=0):
    g = torch.Generator().manual_seed(seed)
    for it in range(iters):
        a = assign(x, c); n = torch.bincount(a, minlength=len(c)).float(); s = torch.zeros_like(c).index_add_(0, a, x); live = n > 0; c[live] = s[live] / n[live, None]
        if it < iters - 2:                                # dead codes: split busy ones
            dead = (n < 2).nonzero()[:, 0]
            if len(dead): c[dead] = x[torch.randint(len(x), (len(dead),), generator=g)]
    return c
def sem_of(r, S_, durd=None):
    """semantic tokens of an audio row"""
    from text import PHMAP, tokens
    ph = [PHMAP.get(p, p) for p in r['ph']]
    if any(p not in PHI for p in ph): return None
    ids, own = S_(r['text'], ph, r['st']); d = list(r['d']); n = len(ph); w = r['st']       # pointers at word ends only: a piece inside a word may lack the frame for one
    own = [-1 if w[i] < 0 else min(own[k] for k in range(n) if w[k] == w[i] and own[k] >= 0) if own[i] >= 0 else -1 for i in range(n)]
    nxt = -1
    for i in range(n - 1, -1, -1):
        if (i == 0 or (own[i] >= 0 and own[i] != nxt)) and d[i] < 2: return None
        if own[i] >= 0: nxt = own[i]
    return tokens(ph, own, d, len(ids))
def c1map(rows):
    """v1's excitation codes: 20 F0 bins (72..280 Hz) x 48 phases of the *measured* fundamental; ours: phase of the pulses. One offset turns one into the other."""
    D = []
    for r in rows:
        x = np.concatenate([np.zeros(512), r['wav'] / 32768., np.zeros(2048)]); c = r['c1']; t = np.where(c < UV0)[0]; f = 3.125 * KF[c[t] // NPH]; n = np.arange(-512, 512); seg = x[((t + 1) * HOP)[:, None] + 512 + n[None]]; half = 1.5 * SR / f
        w = np.where(np.abs(n)[None] < half[:, None], .5 + .5 * np.cos(np.pi * n[None] / half[:, None]), 0); z = (seg * w * np.exp(-2j * np.pi * f[:, None] * n[None] / SR)).sum(1); D.append(z / np.abs(z).max() * np.exp(-2j * np.pi * (c[t] % NPH) / NPH))
    z = np.concatenate(D).sum(); off = np.angle(z) / (2 * np.pi) % 1; print('phase offset', off, 'coherence', abs(z) / np.abs(np.concatenate(D)).sum())
    c = np.arange(CB); f = 3.125 * KF[np.minimum(c // NPH, len(KF) - 1)]; fb = np.clip((np.log(f / 72.) / math.log(280. / 72.) * 20).astype(int), 0, 19); p = np.floor(((c % NPH) / NPH + off) * 48 + .01).astype(int) % 48
    return torch.from_numpy(np.where(c < UV0, fb * 48 + p, c)).long()
def main():
    from text import Slots
    tok = tokenizer(); S_ = Slots(tok); R = []; t0 = time.time(); n0 = int(sys.argv[2]) if len(sys.argv) > 2 else 0; bad = 0
    for voice in ('heart', 'low'):
        for f in sorted(glob.glob(f'data/{voice}_*.pkl')):
            if not n0 <= int(f[-7:-4]) < int(sys.argv[1]): continue
            for i, r in enumerate(pickle.load(open(f, 'rb'))):
                sem = sem_of(r, S_)
                if sem is None: bad += 1; continue
                assert 3 * len(sem) == len(r['c1']) and len(r['wav']) == HOP * len(r['c1'])
                R.append(dict(voice=voice, text=r['text'], sem=np.array(sem, np.int32), wav=r['wav'], cep=r['cep'], c1=r['c1'], val=i < 3))
    cep = torch.from_numpy(np.concatenate([r['cep'] for r in R])); print(len(R), 'rows', bad, 'without labels', cep.shape, 'frames', round(time.time() - t0), flush=True)
    if os.path.exists('rvq.pt'): q = torch.load('rvq.pt'); mean, scale, books = q['mean'], q['scale'], q['books']
    else:
        old = torch.load('V1/rvq.pt'); mean, scale = old['mean'], old['scale']; g = torch.Generator().manual_seed(0); sub = cep[torch.randperm(len(cep), generator=g)[:90000]]; z = (sub - mean) * scale; tot = z.var(0).sum(); books = []
        print('v1 mean', mean[:5], 'ours', cep.mean(0)[:5], 'std of z', z.std(0)[:5])
        c = old['books'][0]; c = (c - c.mean(0)) / c.std(0) * z.std(0) + z.mean(0)
        for s in range(7):
            if s: c = old['books'][s].clone(); c = c / c.std() * z.std()
            c = lloyd(z, c.clone(), 9 if s == 0 else 3, s); z = z - c[assign(z, c)]; books.append(c); print('stage', s, 'residual var', (z.var(0).sum() / tot).item(), f'{time.time() - t0:.0f}s', flush=True)
        zero = old['zero']                                 # one code of every residual codebook is the zero vector ("leave it"), at v1's places
        for i in range(2, NQ): books[i - 1][zero[i]] = 0
        torch.save(dict(mean=mean, scale=scale, books=books, zero=zero, c1map=c1map([r for r in R if r['voice'] == 'heart'][:30])), 'rvq.pt')
    z = (cep - mean) * scale; codes = []
    for c in books: a = assign(z, c); z = z - c[a]; codes.append(a)
    o = 0
    for r in R:
        n = len(r['c1']); k = [c[o:o + n].numpy() for c in codes]; o += n
        r['codes'] = np.stack([k[0], r['c1']] + k[1:]).astype(np.int16); r['z'] = ((r.pop('cep') - mean.numpy()) * float(scale)).astype(np.float16); del r['c1']
    print('codes of book 0 in use', len(set(codes[0].tolist())))
    pickle.dump(R, open('acoustic.tmp', 'wb')); os.rename('acoustic.tmp', 'acoustic.pkl'); print('saved', len(R), 'utterances', sum(r['codes'].shape[1] for r in R) / 75, 's', f'{time.time() - t0:.0f}s')
if __name__ == '__main__': main()
