"""Step 4. text -> semantic tokens GPT.  usage: semantic.py MINUTES [resume] [lr X]   writes semantic.pt
Every piece of the vocabulary is a whole word (or ending, number, letter); its embedding is a fixed code of its pronunciation: phone k of the piece sits in dims
16*(k%12)..16*(k%12)+15. The model only has to learn to read these codes at the slot it points to, so words never seen in training are spoken as well."""
import sys, time, random, pickle
from common import *
H, L, HEADS, LR = 192, 4, 3, 3e-3
SEED = int(os.environ.get("SEED", 0)); torch.manual_seed(SEED); random.seed(SEED); torch.set_num_threads(1)      # a run that resumes needs another seed, or it sees the same batches again
OLD_OF = {p: p for p in PH} | {'T': 'ɾ', 'ʤ': 'dʒ', 'ʧ': 'tʃ', 'ᵊ': 'ɐ', 'ɑ': 'ɑː', 'ɔ': 'ɔː', 'u': 'uː', 'I': 'aɪ', 'O': 'oʊ', 'A': 'eɪ', 'W': 'aʊ', 'ɜ': 'ɜː', 'Y': 'ɔ', 'ˈA': 'ˈeɪ', 'ˈɑ': 'ˈɑː', 'ˈI': 'ˈaɪ', 'ˈi': 'ˈiː', 'ˈO': 'ˈoʊ', 'ˈɔ': 'ˈɔː', 'ˈu': 'ˈuː', 'ˈɜ': 'ˈɜː', 'ˈW': 'ˈaʊ', 'ˈY': 'ˈɔɪ'}
ALL = "p^ p, p. p? n t ɹ s d l k z m ð p w v b f h ŋ ɡ ɾ ʃ j dʒ tʃ θ ʒ ə ɪ ɛ ɚ ʌ i æ ɐ ᵻ ɑː ɔː iː uː aɪ oʊ eɪ ʊ aʊ ɜː ɔ ˈɛ ˈɪ ˈeɪ ˈæ ˈɑː ˈʌ ˈaɪ ˈiː ˈoʊ ˈɔː ˈuː ˈɜː ˈaʊ ˈʊ ˈɔ ˈɔɪ".split()
def codes_of(lex, vocab):
    g = torch.Generator().manual_seed(11); names = [p.replace('ˈ', '') for p in ALL]; n = len(ALL); AI = {p: i for i, p in enumerate(ALL)}
    B = F.normalize(torch.randn(n, 16, generator=g), dim=1)
    for _ in range(300):                                  # spread the phone codes
        G = B @ B.T - torch.eye(n); B = F.normalize(B - .1 * (G * (G.abs() > .15)) @ B, dim=1)
    for i, p in enumerate(names):
        if p != ALL[i] and p in AI: B[i] = F.normalize(.6 * B[AI[p]] + .8 * B[i], dim=0)
    B = B[[AI[OLD_OF[p]] for p in PH]]
    E = torch.zeros(len(vocab), H)
    for w, i in vocab.items():
        for k, p in enumerate(lex.get(w, [])[:14]): E[i, 16 * (k % 12):16 * (k % 12) + 16] += B[PHI[p]] * (.4 if k < 12 else .25)
    return E
def load_data():
    D = pickle.load(open('sem_data.pkl', 'rb')); random.Random(1).shuffle(D); return D[300:], D[:300]
def make_batches(data, budget):
    idx = list(range(len(data))); random.shuffle(idx); out = []
    for a in range(0, len(idx), 1500):
        c = sorted(idx[a:a + 1500], key=lambda i: len(data[i][2])); b = []; m = 0
        for i in c:
            t = max(m, len(data[i][1]) + len(data[i][2]) + 5)
            if b and t * (len(b) + 1) > budget: out.append(b); b = []; t = len(data[i][1]) + len(data[i][2]) + 5
            b.append(i); m = t
        if b: out.append(b)
    random.shuffle(out); return out
def collate(items, data, hist_p=0.25, full_p=0.08):
    """pads behind the text are left out of most batches (the model learns not to look at them); positions stay those of the full layout"""
    B, N = len(items), max(len(y) for _, _, y in items); full = random.random() < full_p; hl = 32 if random.random() < hist_p else 0
    Sb = S if full else min(S, max(max(len(x) for _, x, _ in items) + random.choice((1, 2, 4)), hl))
    tx = torch.full((B, Sb), TEXT_PAD); hi = torch.full((B, Sb), NSEM); sm = torch.full((B, N), NSEM); tg = torch.full((B, N + 1), -100); w = torch.zeros(B, N + 1)
    for j, (_, x, y) in enumerate(items):
        tx[j, :len(x)] = torch.from_numpy(x).long() + TEXT0; yt = torch.from_numpy(y).long(); sm[j, :len(y)] = yt; tg[j, :len(y)] = yt; tg[j, len(y)] = NSEM
        if hl:
            h = torch.from_numpy(random.choice(data)[2][-hl:]).long(); hi[j, :len(h)] = h
        first = torch.ones(len(y) + 1); a, b = yt[:-1], yt[1:]; first[1:len(y)] = torch.where((b == a - 1) & (a < PTR) & (a % RMAX != 0), 0.1, 1.0); w[j, :len(y) + 1] = first
    return tx, hi, sm, tg, w
class Model(GPT):
    def __init__(s, E):
        super().__init__(8, SEM_OUT, 640, H, L, HEADS); s.cfg['input_vocab_size'] = SEM_IN
        s.lex = E; s.input_embeds_layer = nn.Embedding(TEXT0 + NTRAIN + 8, H); nn.init.normal_(s.input_embeds_layer.weight, 0, .02)
def look(m, ids):
    """embedding of any ids: rows of the small trained table, or the fixed pronunciation codes"""
    fixed = (ids >= TEXT0 + NTRAIN) & (ids < TEXT0 + VOCAB); e = F.embedding(torch.where(fixed, 0, torch.where(ids >= TEXT0 + VOCAB, ids - VOCAB + NTRAIN, ids)), m.input_embeds_layer.weight)
    return torch.where(fixed[..., None], F.embedding(torch.where(fixed, ids - TEXT0, 0), m.lex), e) if fixed.any() else e
def embed(m, tx, hi, sm):
    e = torch.cat([look(m, tx) + look(m, hi), look(m, torch.full((len(tx), 1), INFER)), look(m, sm)], 1); n = tx.shape[1]
    pos = torch.cat([torch.arange(n), torch.arange(S, S + 1 + sm.shape[1])]); return e, pos
def forward(m, e, pos, cache=None):
    x = e + m.position_embeds_layer.weight[pos]
    for i, l in enumerate(m.layers): x = l(x, None if cache is None else cache[i])
    return m.layernorm_final(x)
@torch.no_grad()
def generate(m, texts, maxn=250, temp=0.):
    B = len(texts); tx = torch.full((B, S), TEXT_PAD); hi = torch.full((B, S), NSEM)
    for j, x in enumerate(texts): tx[j, :len(x)] = torch.tensor(x[:S]) + TEXT0
    cache = [{} for _ in m.layers]; e, pos = embed(m, tx, hi, torch.zeros(B, 0, dtype=torch.long)); h = forward(m, e, pos, cache); past = S + 1; out = [[] for _ in texts]; done = [False] * B
    for t in range(maxn):
        lg = m.lm_head(h[:, -1])[:, :NSEM + 1].float(); y = lg.argmax(-1) if temp == 0 else torch.multinomial((lg / temp).softmax(-1), 1)[:, 0]
        for j in range(B):
            if not done[j]:
                if y[j] == NSEM: done[j] = True
                else: out[j].append(int(y[j]))
        if all(done): break
        h = forward(m, look(m, y[:, None]), torch.tensor([past]), cache); past += 1
    return out, done
def phones(y):
    o, prev = [], None
    for t in y:
        if t < PTR and not (prev is not None and prev < PTR and prev % RMAX and t == prev - 1): o.append(PH[t // RMAX])
        prev = t
    return [p for p in o if p not in PAUSES]
def edit(a, b):
    d = list(range(len(b) + 1))
    for i, x in enumerate(a):
        p, d[0] = d[0], i + 1
        for j, z in enumerate(b): p, d[j + 1] = d[j + 1], min(d[j + 1] + 1, d[j] + 1, p + (x != z))
    return d[-1]
def per(m, val):
    m.eval(); out, done = generate(m, [list(map(int, x)) for _, x, _ in val]); m.train()
    er = sum(edit(phones(o), phones(y)) for o, (_, _, y) in zip(out, val)); tot = sum(len(phones(y)) for _, _, y in val); return er / tot, sum(not d for d in done), np.mean([len(o) / len(y) for o, (_, _, y) in zip(out, val)]), out
def tests():
    """everyday hold-out sentences as (text, ids, tokens)"""
    from text import Slots, parse, tokens, durations; tok = tokenizer(); S_ = Slots(tok); W = pickle.load(open('dur.pkl', 'rb')); out = []
    for x in open('everyday_test.txt').read().strip().split('\n'): r = parse(x); ids, own = S_(x, *r); out.append((x, np.array(ids), np.array(tokens(r[0], own, durations(r[0], own, W), len(ids)))))
    return out
def save(m): torch.save(dict(model=m.state_dict(), cfg=m.cfg, lex=m.lex.half()), 'semantic.pt')
def main():
    minutes = float(sys.argv[1]); tok = tokenizer(); E = codes_of(pickle.load(open('lexicon.pkl', 'rb')), tok.get_vocab()); m = Model(E); data, val = load_data(); ev = tests(); print('texts', len(data), 'parameters', sum(p.numel() for p in m.parameters()), 'ids', NSEM, TEXT0, VOCAB, flush=True)
    if 'resume' in sys.argv: m.load_state_dict(torch.load('semantic.pt')['model'])
    else:
        with torch.no_grad():
            W = m.input_embeds_layer.weight; P = m.position_embeds_layer.weight; P.copy_(0.05 * sinus(torch.arange(640) / 16., H)); P[:S] *= 2; a, b = torch.randn(NP_, 1, H) * .05, torch.randn(1, RMAX, H) * .05
            W[:PTR] = (a + b).view(-1, H); W[PTR:PTR + S] = P[:S] * 1.5; W[TEXT0:TEXT0 + NTRAIN] += E[:NTRAIN]
            a, b = torch.randn(NP_, 1, H) * .03, torch.randn(1, RMAX, H) * .03; m.lm_head.weight[:PTR] = (a + b).view(-1, H); m.lm_head.weight[PTR:PTR + S] = P[:S] * .5
    lr0 = float(sys.argv[sys.argv.index('lr') + 1]) if 'lr' in sys.argv else LR; opt = optimizer(m, lr0); t0 = time.time(); te = time.process_time(); c0 = time.process_time(); step = seen = 0; acc = []; budget = 1500; m.train()
    fr = 0
    while fr < 1:
        for b in make_batches(data, budget):
            fr = (time.process_time() - c0) / 60 / minutes
            if fr >= 1: break
            for g in opt.param_groups: g['lr'] = lr0 * min(1, (step + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * fr)))
            tx, hi, sm, tg, w = collate([data[i] for i in b], data); n = tx.shape[1]
            with torch.autocast('cpu', torch.bfloat16, enabled=False): e, pos = embed(m, tx, hi, sm); lg = m.lm_head(forward(m, e, pos)[:, n:])
            ce = F.cross_entropy(lg.float().flatten(0, 1), tg.flatten(), ignore_index=-100, reduction='none'); w = w.flatten(); loss = (ce * w).sum() / w.sum()
            opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step(); step += 1; seen += len(b); acc.append(loss.item())
            if step % 50 == 0: print(f'{step} {time.time() - t0:.0f}s cpu {time.process_time() - c0:.0f}s seen {seen} loss {np.mean(acc[-50:]):.3f}', flush=True)
            if time.process_time() - te > 240:
                p, q, r, o = per(m, ev); print(f'   everyday PER {p:.3f} no-EOS {q} length {r:.2f} |', ' '.join(phones(o[0])), flush=True); save(m); te = time.process_time()
    save(m); p, q, r, o = per(m, ev); print(f'final step {step} everyday PER {p:.3f} no-EOS {q} length {r:.2f}'); p, q, r, o = per(m, val[:60]); print(f'hold-out texts PER {p:.3f} no-EOS {q}')
if __name__ == '__main__': main()
