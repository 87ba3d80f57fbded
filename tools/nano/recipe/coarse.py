"""Step 5. semantic tokens (+ coarse history) -> codebooks 0 and 1, in windows laid out exactly as BarkCoarseModel.generate does.
usage: coarse.py MINUTES [resume] [lr X]    writes coarse.pt"""
import sys, time, random, pickle
from common import *
H, L, HEADS, LR = 192, 6, 3, 2.5e-3
MAXS = int(CHIST // RATIO)                               # max_semantic_history
SEED = int(os.environ.get("SEED", 0)); torch.manual_seed(SEED); random.seed(SEED); torch.set_num_threads(1)      # a run that resumes needs another seed, or it sees the same batches again
def flat(codes): c = codes[:2].astype(np.int64) + NSEM; c[1] += CB; return c.T.reshape(-1)
def history(r, cut=None):
    """(semantic, coarse) history of a preset utterance as preprocess_histories trims it"""
    hs, hc = r['sem'].astype(np.int64), flat(r['codes'])
    if cut: hs = hs[:cut]; hc = hc[:2 * int(cut * HZ / RATE)]
    n = min(MAXS, len(hs) - len(hs) % 2, int(len(hc) // RATIO)); m = int(round(n * RATIO)); return hs[-n:], hc[-m:][:-2]
def window(sem, co, hs, hc, k):
    g = k * SLIDE; idx = len(hs) + int(round(g / RATIO)); s = np.concatenate([hs, sem])[max(0, idx - MAXS):][:CIN]
    s = np.pad(s, (0, CIN - len(s)), constant_values=C_PAD); h = np.concatenate([hc, co[:g]])[-CHIST:]; return s, h, co[g:g + SLIDE]
NONE = np.zeros(0, np.int64)
RHO, OWN, BLIND, W0 = float(os.environ.get('RHO', .5)), float(os.environ.get('OWN', .6)), float(os.environ.get('BLIND', .15)), float(os.environ.get('W0', 1.5))     # noise on the history, share of batches with the model's own history, weight of codebook 0
def make(R2, B):
    """one batch of equal layout: same window index and same history length"""
    hist = random.random() < HIST; voice = 'low' if hist and random.random() < LOW else 'heart'; k = random.choice((0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8)); X, Y = [], []
    pool = [r for r in random.sample(R2, min(len(R2), 30 * B)) if 2 * r['codes'].shape[1] > k * SLIDE + 16 and r['voice'] == voice][:B]
    for r in pool:
        if hist:
            ships = random.random() < PRE; q = PRESETS[VOICE[r['voice']]] if ships else random.choice(BY[r['voice']]); hs, hc = history(q, None if ships else random.randrange(44, 120))
            if len(hs) < MAXS: continue
        else: hs = hc = NONE
        s, h, t = window(r['sem'].astype(np.int64), flat(r['codes']), hs, hc, k); t = np.pad(t, (0, SLIDE - len(t)), constant_values=-100)
        X.append(np.concatenate([s, [C_INFER], h, np.maximum(t[:-1], 0)])); Y.append(np.concatenate([h, t]))
    if len(X) < 2: return make(R2, B)
    return torch.from_numpy(np.stack(X)), torch.from_numpy(np.stack(Y))
def forward(m, x):
    h = m(m.input_embeds_layer(x))[:, CIN:]; return F.linear(h, m.lm_head.weight[NSEM:])
BY = {}
VOICE = dict(heart='en_speaker_0', low='en_speaker_1'); PRE = float(os.environ.get('PRE', 0)); PRESETS = pickle.load(open('presets.pkl', 'rb')) if PRE else {}     # share of the histories that are the presets that ship
HIST, LOW = float(os.environ.get('HIST', .6)), float(os.environ.get('LOW', .6))     # share of batches that go on from a preset, and of these in the low voice, which speaks after a preset alone
def split(R):
    val = [r for r in R if r['val']]; R = [r for r in R if not r['val']]
    for r in R: BY.setdefault(r['voice'], []).append(r)
    return R, val
def tables():
    """soft targets (near codes share probability) and wider neighbour kernels for input noise"""
    import features; c = torch.load('rvq.pt')['books'][0]; d = torch.cdist(c, c).pow(2); k = torch.arange(CB); U, NP = features.UV0, features.NPH
    f, p = k // NP, k % NP; K = torch.from_numpy(np.append(features.KF, [0] * 8)); df = (f[:, None] - f[None]).abs().float()      # a neighbour: the next F0 value, and the phase that this F0 leads to
    q1 = torch.exp(-df ** 2 / (2 * .5 ** 2)) * (df < 2) * ((p[None] - p[:, None] - K[f][None] + K[f][:, None]) % NP == 0); uv = k >= U; q1[uv] = 0; q1[:, uv] = 0; q1[uv, uv] = 1
    n = lambda q: q / q.sum(1, keepdim=True); return n(torch.exp(-d / 1.0)), n(q1), n(torch.exp(-d / 4.0))
def nll(m, x, y, acc=None):
    lg = forward(m, x).float(); t = torch.where(y >= 0, y - NSEM, -100); ce = F.cross_entropy(lg.flatten(0, 1), t.flatten(), ignore_index=-100, reduction='none').view_as(y)
    c0, c1 = (y >= NSEM) & (y < NSEM + CB), y >= NSEM + CB; ok = lg.argmax(-1) == t; return ce, c0, c1, ok
def main():
    minutes = float(sys.argv[1]); R, val = split(pickle.load(open('acoustic.pkl', 'rb'))); print({v: len(x) for v, x in BY.items()}, len(val))
    for r in R + val: r.pop('wav'); r.pop('z')
    Q0, Q1, QN = tables(); print('self weight', Q0.diag().mean().item(), Q1.diag().mean().item(), QN.diag().mean().item())
    m = GPT(C_VOCAB, C_VOCAB, CIN + 1 + CHIST + SLIDE + 1, H, L, HEADS)
    with torch.no_grad():                                 # time-aligned positions: slot i of the semantic part and coarse token j get the same code when they are simultaneous
        pt = torch.cat([torch.arange(CIN) / RATE, torch.zeros(1), torch.arange(CHIST + SLIDE + 1) / (2 * HZ)]); m.position_embeds_layer.weight.copy_(.1 * sinus(pt, H))
    if 'resume' in sys.argv: m.load_state_dict(torch.load('coarse.pt')['model'])
    elif os.path.exists('coarse_warm.pt'): m.load_state_dict(torch.load('coarse_warm.pt')['model']); print('warm start from v1')
    lr0 = float(sys.argv[sys.argv.index('lr') + 1]) if 'lr' in sys.argv else LR; opt = optimizer(m, lr0); t0 = te = time.time(); step = 0; acc = []
    c0_ = time.process_time()
    while (fr := (time.process_time() - c0_) / 60 / minutes) < 1:
        for g in opt.param_groups: g['lr'] = lr0 * min(1, (step + 1) / 40) * (0.02 + 0.98 * .5 * (1 + math.cos(math.pi * fr)))
        x, y = make(R, int(os.environ.get('B', 6)))
        rho = RHO * torch.rand(len(x), 1); coarse = (torch.arange(x.shape[1]) > CIN)[None]; i0 = coarse & (x >= NSEM) & (x < NSEM + CB); i1 = coarse & (x >= NSEM + CB) & (x < C_PAD)
        r0 = i0 & (torch.rand(x.shape) < rho); r1 = i1 & (torch.rand(x.shape) < rho * .3); xc = x.clone()
        if r0.any(): xc[r0] = NSEM + torch.multinomial(QN[x[r0] - NSEM], 1)[:, 0]
        if r1.any(): xc[r1] = NSEM + CB + torch.multinomial(Q1[x[r1] - NSEM - CB], 1)[:, 0]
        if random.random() < BLIND:                       # a history that says nothing about the spectrum: the semantic tokens must
            b = i0 & (torch.rand(len(x), 1) < .5); xc[b] = xc[b][torch.randperm(int(b.sum()))]
        if random.random() < OWN:                         # the history the model itself would write: picks of a first pass replace true codes, up to all of them
            with torch.no_grad(), torch.autocast('cpu', torch.bfloat16, enabled=False): lg = forward(m, xc)[:, :-1].float()
            q = torch.rand(len(x), 1) ** .7; pick = lambda l: (torch.multinomial((l / .7).softmax(-1).flatten(0, 1), 1).view(l.shape[:2]) if random.random() < .5 else l.argmax(-1)); n = lg.shape[1]; i0, i1 = i0[:, -n:], i1[:, -n:]
            p0, p1 = NSEM + pick(lg[..., :CB]), NSEM + CB + pick(lg[..., CB:2 * CB]); t = xc[:, -n:]; u = torch.rand(t.shape)
            xc[:, -n:] = torch.where(i0 & (u < q), p0, torch.where(i1 & (u < .3 * q), p1, t))
        with torch.autocast('cpu', torch.bfloat16, enabled=False): lg = forward(m, xc)
        lp = lg.float().log_softmax(-1); c0, c1 = (y >= NSEM) & (y < NSEM + CB), y >= NSEM + CB; t = torch.where(y >= 0, y - NSEM, 0)
        ce = -lp.gather(-1, t[..., None])[..., 0]; ok = lp.argmax(-1) == t
        soft = -(W0 * (Q0[t[c0]] * lp[..., :CB][c0]).sum() + (2 - W0) * (Q1[t[c1] - CB] * lp[..., CB:2 * CB][c1]).sum()) / (c0 | c1).sum()
        loss = .7 * soft + .15 * (W0 * ce[c0].mean() + (2 - W0) * ce[c1].mean())
        opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step(); step += 1
        acc.append([ce[c0].mean().item(), ce[c1].mean().item(), ok[c0].float().mean().item(), ok[c1].float().mean().item()])
        if step % 50 == 0: print(f'{step} {time.time() - t0:.0f}s cpu {time.process_time():.0f}s nll c0 c1, top-1 c0 c1 {np.mean(acc[-50:], 0).round(3)}', flush=True)
        if time.time() - te > 300: te = time.time(); torch.save(dict(model=m.state_dict(), cfg=m.cfg), 'coarse.pt')
    torch.save(dict(model=m.state_dict(), cfg=m.cfg), 'coarse.pt'); print('final', step)
if __name__ == '__main__': main()
