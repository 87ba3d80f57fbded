"""Step 4. EnCodec decoder (vocoder) for the built codebooks, then an EnCodec encoder regressed onto the latent.
usage: codec.py dec MINUTES [resume] [lr X] | codec.py enc MINUTES [resume] [lr X]     writes codec.pt / codec_enc.pt
LOW, OWN: shares of the batch in the low voice, and of those with codes that the coarse model picked (picks.py). A run that resumes leaves the excitation codes as they are, for the encoder's sake."""
import os, sys, time, random, pickle
from common import *
from features import *
from transformers import EncodecConfig, EncodecModel
SEED = int(os.environ.get("SEED", 0)); torch.manual_seed(SEED); random.seed(SEED); torch.set_num_threads(1)      # a run that resumes needs another seed, or it sees the same batches again
def config():
    return EncodecConfig(target_bandwidths=[6.0], num_filters=16, hidden_size=HID, num_lstm_layers=1, codebook_size=CB, upsampling_ratios=[8, 5, 4, 2], normalize=False)
V1 = 'V1'
def build():
    """v1's decoder and excitation table (same latent space), this voice's spectral codebooks"""
    m = EncodecModel(config()); q = torch.load('rvq.pt'); E = torch.zeros(NQ, CB, HID)
    for s, i in enumerate([0, 2, 3, 4, 5, 6, 7]): E[i, :, :NC] = q['books'][s]
    if os.path.exists(V1 + '/codec.pt') and 'scratch' not in sys.argv: d = torch.load(V1 + '/codec.pt'); m.load_state_dict(d['model'], strict=False); E[1] = d['E'][1][q['c1map']]
    return m, E
@torch.no_grad()
def put(m, E):
    for i in range(NQ): m.quantizer.layers[i].codebook.embed.copy_(E[i])
WIN = {n: torch.hann_window(n) for n in (128, 256, 512, 1024, 2048)}
def stft(x, n):
    return torch.view_as_real(torch.stft(x, n, n // 4, n, WIN[n], center=False, return_complex=True)) / (n * 3 / 8) ** .5
MEL = {}
def melbank(n):
    if n not in MEL:
        hz = np.linspace(0, SR / 2, n // 2 + 1); mf = lambda f: 2595 * np.log10(1 + f / 700); nm = {2048: 80, 1024: 64, 512: 40}[n]
        e = 700 * (10 ** (np.linspace(mf(60.), mf(8200.), nm + 2) / 2595) - 1)
        MEL[n] = torch.tensor(np.stack([np.clip(np.minimum((hz - a) / (b - a), (c - hz) / (c - b)), 0, None) / max(1e-9, (c - a) / (hz[1] * 2)) for a, b, c in zip(e, e[1:], e[2:])]), dtype=torch.float32)
    return MEL[n]
def losses(y, x):
    lm = sc = 0.
    for n in (128, 256, 512, 1024, 2048):
        a, b = (stft(v, n).pow(2).sum(-1).add(1e-8).sqrt() for v in (y, x)); k = n // 2 * 2 // 3 + 1          # up to 8 kHz, then at a lower weight
        lm = lm + (torch.log(a + 2e-3) - torch.log(b + 2e-3)).abs()[:, :k].mean() + 0.25 * (torch.log(a + 2e-3) - torch.log(b + 2e-3)).abs()[:, k:].mean()
        sc = sc + (a - b).abs().mean() / b.mean()
        if n in MEL or n >= 512: M = melbank(n); lm = lm + (torch.log(M @ a + 2e-3) - torch.log(M @ b + 2e-3)).abs().mean()
    return lm / 5, sc / 5
LOW, OWN = float(os.environ.get('LOW', .5)), float(os.environ.get('OWN', 0))
def batch(R, B, N):
    c, w = [], []
    for _ in range(B):
        r = random.choice(R['low' if random.random() < LOW else 'heart', random.random() < OWN]); T = r['codes'].shape[1]; o = random.randrange(max(1, T - N))
        a = r['codes'][:, o:o + N]; v = r['wav'][o * HOP:(o + N) * HOP]
        if a.shape[1] < N: a = np.pad(a, ((0, 0), (0, N - a.shape[1])), mode='edge'); v = np.pad(v, (0, N * HOP - len(v)))
        c.append(a); w.append(v)
    return torch.from_numpy(np.stack(c)).long(), torch.from_numpy(np.stack(w)).float() / 32768
def latent(E, e1, c, drop=True):
    B = c.shape[0]; z = F.embedding(c[:, 1], e1) + F.embedding(c[:, 0], E[0]); k = torch.full((B,), 8)
    if drop: k = torch.where(torch.rand(B) < P2, 2, torch.randint(3, 9, (B,)))        # mostly what the coarse model alone gives
    for i in range(2, 8): z = z + F.embedding(c[:, i], E[i]) * (k > i)[:, None, None]
    return z.transpose(1, 2)
P2 = float(os.environ.get('P2', .65))
@torch.no_grad()
def evaluate(m, E, val, n=12, save=None):
    m.eval(); L = []; Z = torch.tensor(torch.load('rvq.pt')['zero'][2:])[:, None]
    for j, r in enumerate(val[::len(val) // n][:n]):               # both voices
        c = torch.from_numpy(r['codes'].astype(np.int64))[None]; c[0, 2:] = Z; y = m.decoder(latent(E, E[1], c, False))[0, 0]; x = torch.from_numpy(r['wav'].astype(np.float32) / 32768)
        L.append([v.item() for v in losses(y[None], x[None])])
        if save and j < 6:
            import soundfile as sf; sf.write(f'{save}_{j}.wav', y.numpy(), SR)
    m.train(); return np.mean(L, 0)
def rows():
    """(training utterances by voice and by whether their codebook 0 is the coarse model's, validation)"""
    R = pickle.load(open('acoustic.pkl', 'rb')); D = {(v, o): [] for v in ('heart', 'low') for o in (False, True)}; picks = pickle.load(open('picks.pkl', 'rb')) if OWN else {}
    for i, r in enumerate(R):
        if r['val']: continue
        D[r['voice'], False].append(r)
        if i in picks: D[r['voice'], True].append(r | dict(codes=np.concatenate([picks[i][None], r['codes'][1:]])))
    return D, [r for r in R if r['val']]
def rate(default): return float(sys.argv[sys.argv.index('lr') + 1]) if 'lr' in sys.argv else default
def train_dec(minutes):
    R, val = rows(); m, E = build(); lr0 = rate(2e-3); keep = 'resume' in sys.argv
    if 'resume' in sys.argv: d = torch.load('codec.pt'); m.load_state_dict(d['model']); E = d['E']
    put(m, E); print('start', evaluate(m, E, val).round(3), flush=True)
    e1 = nn.Parameter(E[1].clone()); msk = torch.zeros(HID); msk[NC:] = 1
    P = list(m.decoder.parameters()); opt = torch.optim.AdamW([dict(params=P, weight_decay=0.), dict(params=[] if keep else [e1], weight_decay=0.)], lr=lr0, betas=(0.8, 0.98))
    t0 = time.time(); te = t0; step = 0; acc = []; B, N, CUT = 8, 44, 4
    while True:
        fr = time.process_time() / 60 / minutes
        if fr >= 1: break
        for g in opt.param_groups: g['lr'] = lr0 * min(1, (step + 1) / 40) * (0.02 + 0.98 * .5 * (1 + math.cos(math.pi * fr)))
        c, x = batch(R, B, N); z = latent(E, e1, c)
        with torch.autocast('cpu', torch.bfloat16, enabled=False): y = m.decoder(z)
        y = y.float()[:, 0, CUT * HOP:]; x = x[:, CUT * HOP:]; lm, sc = losses(y, x); wl = (y - x).abs().mean() / x.abs().mean()
        loss = lm + sc + wl
        opt.zero_grad(); loss.backward(); e1.grad.mul_(msk); nn.utils.clip_grad_norm_(P + [e1], 2.0); opt.step(); step += 1; acc.append([lm.item(), sc.item(), wl.item()])
        if step % 25 == 0: print(f'{step} {time.time() - t0:.0f}s cpu {time.process_time():.0f}s logmag {np.mean(acc[-25:], 0).round(3)}', flush=True)
        if step % 50 == 0: E[1] = e1.data; put(m, E); torch.save(dict(model=m.state_dict(), E=E), 'codec.pt')
        if step % 200 == 0:
            E[1] = e1.data; put(m, E); print('   eval', evaluate(m, E, val, save='samples/codec').round(3), flush=True); torch.save(dict(model=m.state_dict(), E=E), 'codec.pt'); te = time.time()
    E[1] = e1.data; put(m, E); torch.save(dict(model=m.state_dict(), E=E), 'codec.pt'); print('final', step, evaluate(m, E, val, 24, save='samples/codec').round(3))
def train_enc(minutes):
    R, val = rows(); d = torch.load('codec.pt'); m = EncodecModel(config()); m.load_state_dict(d['model']); E = d['E']; lr0 = rate(2e-3)
    if 'resume' in sys.argv: m.encoder.load_state_dict(torch.load('codec_enc.pt'))
    opt = torch.optim.AdamW(m.encoder.parameters(), lr0, weight_decay=0.); t0 = time.time(); step = 0; acc = []; B, N, CUT = 14, 48, 4
    while (fr := time.process_time() / 60 / minutes) < 1:
        for g in opt.param_groups: g['lr'] = lr0 * min(1, (step + 1) / 40) * (0.02 + 0.98 * .5 * (1 + math.cos(math.pi * fr)))
        c, x = batch(R, B, N); z = latent(E, E[1], c, False)
        with torch.autocast('cpu', torch.bfloat16, enabled=False): y = m.encoder(x[:, None])
        e = (y.float() - z)[:, :, CUT:].pow(2); a, b = e[:, :NC].mean() / z[:, :NC].var(), e[:, NC:].mean() / z[:, NC:].var(); loss = a + .3 * b
        opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(m.encoder.parameters(), 2.0); opt.step(); step += 1; acc.append([a.item(), b.item()])
        if step % 50 == 0: print(f'{step} {time.time() - t0:.0f}s rel. error spectrum, excitation {np.mean(acc[-25:], 0).round(3)}', flush=True)
    torch.save(m.encoder.state_dict(), 'codec_enc.pt')
if __name__ == '__main__':
    import os; os.makedirs('samples', exist_ok=True)
    (train_dec if sys.argv[1] == 'dec' else train_enc)(float(sys.argv[2]))
