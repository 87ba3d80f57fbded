"""The teacher: hibari-tts "heart" (Apache-2.0; distilled from Kokoro-82M af_heart, Apache-2.0), used as a source-filter vocoder on the codec's own grid.
* Every phone lasts a whole number of semantic tokens (40 ms): the network runs at its own durations, then its spectral frames are warped in time.
* F0 of every codec frame (320 samples) is one of 40 values of 3.125 Hz x whole numbers, so the phase of the fundamental at every frame end is a multiple of 1/24:
  the excitation code (F0 bin, phase) says exactly what the pulses do, and the next phase follows from it. A voiced run starts at phase 0.
* Noise of an unvoiced frame is a fixed snippet of its code (64 seeds, counted from the start of the run).
* The cepstrum of a frame comes from the network's spectral envelope, not from the audio, so it carries no analysis noise.
* The second voice is the same network with the spectrum squeezed (longer vocal tract) and a lower, flatter F0.
parse(text) -> phones and words;  prep(text) -> ... + tokens per phone;  speak(prep, voice) -> 24 kHz audio, cepstrum [T,24], excitation codes [T]."""
import os, re, math, functools, numpy as np
import onnxruntime as ort
from hibari.g2p import G2P
from hibari import dsp
HERE = os.environ.get('VOICE_DIR', '.')
_o = ort.SessionOptions(); _o.intra_op_num_threads = _o.inter_op_num_threads = 1; _o.log_severity_level = 3
SR, HOP, SPT, NM, NC, NPH, NSEED = 24000, 320, 960, 32, 24, 24, 64
KF = np.unique(np.round(np.geomspace(23, 100, 46)).astype(int)); KF = KF[:40]; assert len(KF) == 40     # F0 = 3.125 Hz * KF
UV0 = len(KF) * NPH
PUNCT = {',': 'p,', ';': 'p,', ':': 'p,', '—': 'p,', '.': 'p.', '!': 'p.', '…': 'p.', '?': 'p?'}
VOW = set('AIOWYiuɑɔəɛɜɪʊʌæᵊᵻaeoɐɒQ'); SAME = {'ɾ': 'T', 'r': 'ɹ', 'a': 'æ', 'e': 'ɛ', 'o': 'O', 'ɐ': 'ə', 'ɒ': 'ɑ', 'Q': 'O', 'x': 'k', 'ʔ': 't', 'ç': 'h', 'ɚ': 'ə'}
import json
with open(os.path.join(os.path.dirname(dsp.__file__), 'assets', 'vocab.json'), encoding='utf-8') as f: IDS = json.load(f)
@functools.lru_cache(None)
def g2p(): return G2P()
@functools.lru_cache(None)
def net(x): return ort.InferenceSession(f'{HERE}/voice_{x}.onnx', _o, providers=['CPUExecutionProvider'])
@functools.lru_cache(200000)
def alone(w): return re.sub(r'[ˈˌ .,;:!?—…"“”()]', '', g2p()(w))
def align(a, b):
    """token of every character of b, from an edit-distance path between the isolated words a[] and the sentence b"""
    s = ''.join(a); own = [i for i, w in enumerate(a) for _ in w]; n, m = len(s), len(b); D = np.zeros((n + 1, m + 1), np.int32); D[:, 0] = np.arange(n + 1); D[0] = np.arange(m + 1)
    cost = lambda x, y: 0 if x == y else (2 if (x in VOW) == (y in VOW) else 4)
    D *= 2
    for i in range(1, n + 1):
        for j in range(1, m + 1): D[i, j] = min(D[i - 1, j] + 2, D[i, j - 1] + 2, D[i - 1, j - 1] + cost(s[i - 1], b[j - 1]))
    out = [0] * m; i, j = n, m
    while j > 0:
        if i > 0 and D[i, j] == D[i - 1, j - 1] + cost(s[i - 1], b[j - 1]): i -= 1; j -= 1; out[j] = own[i]
        elif i > 0 and D[i, j] == D[i - 1, j] + 2: i -= 1
        else: j -= 1; out[j] = own[min(i, n - 1)]
    return out
def parse(text):
    """g2p only -> (phones, text offset of each phone's word or -1, ids, phone of every id) or None"""
    sym = [c for c in g2p()(text) if c in IDS and c not in '"()“”']
    while sym and sym[-1] == ' ': sym.pop()
    if not sym or not any(c in VOW or c.isalpha() for c in sym): return None
    if sym[-1] not in PUNCT: sym.append('.')
    ids = [0] + [IDS[c] for c in sym] + [0]; own = [-1] + list(range(len(sym))) + [len(sym)]
    ph, grp, of, stress, pend, ng = ['p^'], [], {-1: 0}, False, [], 0
    for k, c in enumerate(sym):
        if c in 'ˈˌ': stress = c == 'ˈ'; pend.append(k); continue
        if c in PUNCT:
            if ph[-1][0] == 'p' and len(ph[-1]) == 2 and len(ph) > 1: of[k] = len(ph) - 1; continue     # a run of marks is one pause
            ph.append(PUNCT[c]); grp.append(-1); of[k] = len(ph) - 1; ng += 1; continue
        if c == ' ': of[k] = len(ph) - 1; ng += 1; continue
        if not c.isalpha(): of[k] = len(ph) - 1; continue
        v = SAME.get(c, c)
        if c in VOW and stress: v = 'ˈ' + v
        if c in VOW: stress = False
        ph.append(v); grp.append(ng); of[k] = len(ph) - 1
        for q in pend: of[q] = len(ph) - 1
        pend = []
    for q in pend: of[q] = len(ph) - 1
    of[len(sym)] = len(ph) - 1
    tok = [(m.start(), m.group()) for m in re.finditer(r'\S+', text)]; iso = [alone(w) for _, w in tok]; tok = [t for t, a in zip(tok, iso) if a]; iso = [a for a in iso if a]
    gs = sorted({g for g in grp if g >= 0}); st = [-1] * len(ph)
    if not tok: return None
    if len(gs) == len(tok):
        for i, g in enumerate(grp): st[i + 1] = -1 if g < 0 else tok[gs.index(g)][0]
    else:
        bare = [p.replace('ˈ', '') for p in ph[1:]]; s = ''.join(b for b, g in zip(bare, grp) if g >= 0); al = align(iso, s); o = 0
        for i, (b, g) in enumerate(zip(bare, grp)):
            if g >= 0: st[i + 1] = tok[al[o]][0]; o += len(b)
        for i in range(2, len(st)):                       # monotone
            if st[i] >= 0 and st[i - 1] >= 0 and st[i] < st[i - 1]: st[i] = st[i - 1]
    return ph, st, ids, np.array([of[o] for o in own])
def prep(text, speed=.92):
    """-> dict(ph, st = text offset of the word or -1, d = semantic tokens per phone, n = the network's 25 ms frames per phone, ids, f = frames per id) or None"""
    r = parse(text)
    if r is None: return None
    ph, st, ids, par = r
    f = np.maximum(np.round(net('a').run(None, dict(ids=np.array([ids], np.int64), speed=np.ones(1, np.float32)))[0].reshape(-1)), 1)
    f[0] = min(f[0], 6); f[-1] = min(f[-1], 3)            # silence before and behind
    n = np.bincount(par, f, len(ph)); cap = 14
    for i in range(1, len(ph) - 1):                       # the silence that the network counts to the phone before a pause belongs to the pause
        if ph[i + 1] in ('p,', 'p.', 'p?'): x = max(0, n[i] - (9 if ph[i][-1] in VOW else 5)); n[i] -= x; n[i + 1] += x
    cut = max(0, n[-1] - cap); n[-1] -= cut              # (speak() only reads the network's frames up to sum(n))
    nxt = [-1] * len(ph); cur = -1; last = [False] * len(ph)
    for i in range(len(ph) - 1, -1, -1):
        nxt[i] = cur; last[i] = (i == 0) or (st[i] >= 0 and cur != st[i])
        if st[i] >= 0: cur = st[i]
    d, b, c = [], 0, 0.
    for i in range(len(ph)):
        c += n[i] * 25 / speed / 40; e = max(int(round(c)), b + (2 if last[i] else 1))
        if ph[i] in ('p,', 'p.', 'p?') and e - b > 7: c -= e - b - 7; e = b + 7
        d.append(e - b); b = e
    return dict(text=text, ph=ph, st=st, d=d, ids=ids, f=f, n=n)
# ---- vocoder
_hz = np.arange(601) * 20.
def _melfb():
    m = lambda f: 2595 * np.log10(1 + f / 700); edges = 700 * (10 ** (np.linspace(0, m(8000.), NM + 2) / 2595) - 1); fb = np.zeros((NM, 601))
    for i in range(NM): a, b, c = edges[i:i + 3]; fb[i] = np.clip(np.minimum((_hz - a) / (b - a), (c - _hz) / (c - b)), 0, None)
    return fb / fb.sum(1, keepdims=True)
FB = _melfb(); DCT = np.array([[math.cos(math.pi * k * (i + .5) / NM) * math.sqrt((1 if k == 0 else 2) / NM) for i in range(NM)] for k in range(NC)])
NOISE = np.random.default_rng(15).standard_normal(NSEED * HOP).astype(np.float32)
GN = float(os.environ.get('GN', .65))                     # gain of our noise against the network's free-phase branch
VOICES = dict(heart=dict(f=.92, flat=.85, mid=195., warp=1.0, vol=0.), rms=None)
VOICES['low'] = dict(f=.56, flat=.8, mid=195., warp=.86, vol=-.4)
def clean_f0(f):
    """network F0 -> voiced flags and a curve without the half-way values at the edges"""
    v = f > 80; g = f.copy(); i = 0; n = len(f)
    while i < n:
        if not v[i]: i += 1; continue
        j = i
        while j < n and v[j]: j += 1
        if j - i < 3: v[i:j] = False
        else:
            L = np.log(g[i:j]); P = np.pad(L, 3, mode='reflect' if j - i > 3 else 'edge'); M = np.median(np.lib.stride_tricks.sliding_window_view(P, 7), 1); L = np.where(np.abs(L - M) > .12, M, L); g[i:j] = np.exp(L)
        i = j
    return v, g
def speak(p, voice='heart', seed=0):
    V = VOICES[voice]; rng = np.random.default_rng(seed); d, n = np.array(p['d']), p['n']
    lh, th, ln, lr, phi, f0 = (o[0] for o in net('b').run(None, dict(ids=np.array([p['ids']], np.int64), durs=p['f'].astype(np.float32))))
    F = lh.shape[1]; N = int(d.sum()) * SPT; T = 3 * int(d.sum()); v, g = clean_f0(f0)
    te = np.concatenate([[0], np.cumsum(d)]) * SPT; se = np.concatenate([[0], np.cumsum(n)]) * 600.       # phone edges: samples of the output, samples of the network
    src = lambda t: np.interp(t, te, se)
    # F0 on the grid, one value per codec frame (looked up in its middle)
    x = np.clip(src(np.arange(T) * HOP + HOP / 2) / 300 - .5, 0, F - 1); i0 = np.minimum(np.round(x).astype(int), F - 1); vo = v[i0]; fl = np.where(v, np.log(np.maximum(g, 80)), np.nan)
    a, b = fl[np.minimum(np.floor(x).astype(int), F - 1)], fl[np.minimum(np.floor(x).astype(int) + 1, F - 1)]; w = x - np.floor(x); f = np.where(np.isnan(a) | np.isnan(b), fl[i0], a * (1 - w) + b * w)
    fr = np.exp(np.log(V['mid']) + V['flat'] * (f - np.log(V['mid']))) * V['f']; kb = np.abs(np.log(np.where(vo, fr, 100.))[:, None] - np.log(3.125 * KF)[None]).argmin(1); k = KF[kb]
    c1 = np.zeros(T, np.int64); ph0 = np.zeros(T, np.int64); ph = 0; run = 0
    for t in range(T):
        if vo[t]:
            if t == 0 or not vo[t - 1]: ph = 0
            ph0[t] = ph; ph = (ph + k[t]) % NPH; c1[t] = kb[t] * NPH + ph; run = 0
        else: c1[t] = UV0 + run; run = (run + 1) % NSEED
    # excitations, sample by sample
    s = np.arange(HOP); cyc = (ph0[:, None] + k[:, None] * (s[None] + 1) / HOP) / NPH; t_ = (2 * np.pi * (cyc % 1)).astype(np.float32); fs = 3.125 * k[:, None]
    H = np.floor(11000 / fs) + .5; q = 2 * np.sin(t_ / 2); bad = np.abs(q) <= 2e-3; e = np.sin(H * t_); q[bad] = 1; e /= q; e[bad] = np.broadcast_to(H, e.shape)[bad]; e -= .5; e[~vo] = 0; e = e.reshape(-1).astype(np.float32)
    z = np.stack([NOISE[(c - UV0) * HOP:(c - UV0 + 1) * HOP] if c >= UV0 else rng.standard_normal(HOP).astype(np.float32) for c in c1]).reshape(-1)
    # filters on the vocoder's own frames (every 300 samples), warped in time and, for the second voice, in frequency
    M = -(-N // 300); e = np.pad(e, (0, M * 300 - N)); z = np.pad(z, (0, M * 300 - N)); y = np.clip(src(np.arange(M) * 300.) / 300, 0, F - 1)
    def at(A, y): j = np.minimum(np.floor(y).astype(int), F - 2); r = (y - j).astype(np.float32); return A[:, j] * (1 - r) + A[:, j + 1] * r
    def warp(A):
        if V['warp'] == 1: return A
        u = np.minimum(np.arange(601) / V['warp'], 600); j = np.minimum(u.astype(int), 599); r = (u - j)[:, None].astype(np.float32); return A[j] * (1 - r) + A[j + 1] * r
    lr = np.logaddexp(2 * lr, 2 * ln + math.log(2)) / 2     # free-phase and noise branches: one shaped noise
    lh, lr, th = warp(lh), warp(lr), warp(np.tanh(th) * np.pi)
    # harmonic amplitude: a lower F0 has more harmonics in a band, so each is weaker
    gain = .5 * math.log(V['f']) + V['vol']; lr = lr + V['vol']
    Lh, Lr, Th = at(lh, y), at(lr, y), at(th, y); S = dsp.stft(e, M) * (np.exp(np.minimum(Lh + gain, 7)) * np.exp(1j * Th)) + dsp.stft(z, M) * (300 * GN * math.sqrt(2 / 3) / math.sqrt(300.) * np.exp(np.minimum(Lr, 7)))
    wav = dsp.ola(S.astype(np.complex64))[:N]
    # cepstra of the envelopes at the end of every codec frame
    c = np.clip(src((np.arange(T) + 1) * HOP) / 300, 0, F - 1); P = (np.exp(2 * (at(lh, c) + gain)) / 9e4 * SR / (4 * 3.125 * k)[None]) * vo[None] + np.exp(2 * at(lr, c)) * (GN ** 2 * NVAR)
    return wav.astype(np.float32), (np.log(FB @ P + 1e-6).T @ DCT.T).astype(np.float32), c1
NVAR = (300 * math.sqrt(2 / 3) / math.sqrt(300.) / 300) ** 2      # variance of white noise through dsp.stft, the gain above and dsp.ola
if __name__ == '__main__':
    import sys, time, soundfile as sf; os.makedirs('samples', exist_ok=True)
    for t in ['Hello, my dog is cute.', "In 1777, the well-known man's friend of the king was in New York; isn't it?"]:
        t0 = time.time(); p = prep(t); t1 = time.time(); w, c, c1 = speak(p); t2 = time.time(); w2, _, _ = speak(p, 'low'); print(t, len(w) / 24000, np.abs(w).max(), np.abs(w2).max(), round(t1 - t0, 3), round(t2 - t1, 3))
        print(' '.join(f'{a}:{d}@{s}' for a, d, s in zip(p['ph'], p['d'], p['st']))); sf.write(f'samples/t{len(t)}.wav', w, 24000); sf.write(f'samples/t{len(t)}_low.wav', w2, 24000)
