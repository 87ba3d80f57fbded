"""Step 2. Whole-word tokenizer with a pronunciation for every piece, duration model, and the semantic training set (text only, no audio).
usage: text.py   -> tokenizer.json, lexicon.pkl, dur.pkl, sem_data.pkl"""
import sys, re, random, pickle, collections, glob, time, os
import numpy as np
from hear import clean
import teacher
from common import *
CHARS = "abcdefghijklmnopqrstuvwxyz0123456789"; PUNC = ".,?!;:'-$%&"
LETTER = dict(a='æ', b='b', c='k', d='d', e='ɛ', f='f', g='ɡ', h='h', i='ɪ', j='ʤ', k='k', l='l', m='m', n='n', o='ɑ', p='p', q='k', r='ɹ', s='s', t='t', u='ʌ', v='v', w='w', x='k', y='i', z='z')
def make_tokenizer(texts):
    from wordfreq import top_n_list; from tokenizers import Tokenizer, models, pre_tokenizers, normalizers, trainers, decoders
    top = [w for w in top_n_list('en', 60000) if re.fullmatch(r'[a-z]{2,}', w)]; C = collections.Counter(w for x in texts for w in re.findall(r'[a-z]{2,}', x.lower()))
    words = top[:18000]; have = set(words); words += [w for w, n in C.most_common() if n >= 3 and w not in have and len(w) > 2]; have = set(words); freq = {w: C[w] for w in words}
    words = sorted(words, key=lambda w: -C[w])            # frequent first: their rows are trained
    # continuation pieces: common endings and inner strings of words outside the list, cut greedily
    rare = [w for w in top[18000:] if w not in have][:25000]; cnt = collections.Counter()
    for w in rare:
        for k in range(len(w) - 2, 1, -1):
            if w[:k] in have:
                r = w[k:]
                for a in range(0, len(r)):
                    for b in range(a + 2, min(len(r), a + 6) + 1): cnt[r[a:b]] += (2 if b == len(r) else 1) * (b - a)
                break
    cont = [p for p, _ in cnt.most_common(1100)]
    nums = [str(i) for i in range(10, 100)] + ['100', '1000']; nums2 = [f'##{i:02d}' for i in range(100)]
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']; v = special + list(PUNC) + list(CHARS) + ['##' + c for c in CHARS] + nums + nums2 + ['##' + c for c in cont] + words
    v = list(dict.fromkeys(v)); t = Tokenizer(models.WordPiece(vocab={w: i for i, w in enumerate(v)}, unk_token='[UNK]', continuing_subword_prefix='##', max_input_chars_per_word=60))
    t.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True); t.pre_tokenizer = pre_tokenizers.BertPreTokenizer(); t.decoder = decoders.WordPiece(); t.save('tokenizer.json')
    print('vocabulary', len(v), 'trained rows', len(v) - len(words)); return t
_parse = {}
def parse(t):
    if t not in _parse:
        r = teacher.parse(t); _parse[t] = None if r is None else ([PHMAP.get(p, p) for p in r[0]], r[1])
    return _parse[t]
PHMAP = {'ˈə': 'ˈʌ', 'ˈᵊ': 'ˈʌ', 'ˈᵻ': 'ˈɪ'}
def bare(p): return p.replace('ˈ', '')
class Slots:
    """phones of a text -> the slot (piece) each one belongs to"""
    def __init__(s, tok): s.tok = tok; s.lex = {}
    def iso(s, p):
        if p in s.lex: return s.lex[p]
        w = p.replace('##', '')
        if len(w) == 1 and w in LETTER and (p[0] == '#' or w not in 'ai'): r = [LETTER[w]]
        else:
            if p.startswith('##0') and len(p) == 4: w = 'oh ' + w[1] if w[1] != '0' else 'hundred'
            q = parse(w); r = [x for x, o in zip(q[0], q[1]) if o >= 0] if q else []
        s.lex[p] = r or ['ə']; return s.lex[p]
    def __call__(s, text, ph, st):
        e = s.tok.encode(text, add_special_tokens=False); off, tk = e.offsets, e.tokens; own = [-1] * len(ph); i = 0
        while i < len(ph):
            if st[i] < 0: i += 1; continue
            j = i
            while j < len(ph) and (st[j] == st[i] or (st[j] < 0 and j + 1 < len(ph) and st[j + 1] == st[i])): j += 1
            a = st[i]; b = text.find(' ', a); b = len(text) if b < 0 else b; sl = [k for k, o in enumerate(off) if a <= o[0] < b]; heads = []; skip = False
            for k in sl:                                  # letters after an apostrophe belong to the piece before it
                if tk[k] == "'": skip = bool(heads); continue
                if tk[k] in PUNC and tk[k] not in '&%$': skip = False; continue
                if skip and not (len(tk[k]) > 2 and not tk[k].startswith('##')): continue
                skip = False; heads.append(k)
            if not heads: heads = sl[:1]
            idx = [q for q in range(i, j) if st[q] >= 0]
            if len(heads) == 1: 
                for q in idx: own[q] = heads[0]
            elif heads:
                iso = [''.join(bare(x) for x in s.iso(tk[k])) for k in heads]; al = teacher.align(iso, ''.join(bare(ph[q]) for q in idx)); o = 0; m = 0
                for q in idx: m = max(m, al[o]); own[q] = heads[m]; o += len(bare(ph[q]))
            i = j
        return e.ids, own
# ---- durations: ridge regression on the teacher's, rounded per phone
NFL = 16
def flags(ph, own):
    n = len(ph); pz = [p in PAUSES for p in ph] + [True] * 10; F_ = np.zeros((n, NFL), np.float32); cnt = collections.Counter(o for o in own if o >= 0); left = [0] * n; k = 9
    for i in range(n - 1, -1, -1): k = 1 if pz[i + 1] else min(9, k + 1); left[i] = k
    for i in range(n):
        o = own[i]; first = i == 0 or own[i - 1] != o; last = i == n - 1 or own[i + 1] != o; w = cnt[o] if o >= 0 else 0; v = ph[i][0] == 'ˈ'; l = left[i]
        F_[i] = [1, first, last, pz[i + 1], pz[i + 2], i == 0 or pz[i - 1], w <= 2, w >= 6, w == 1, l <= 4, v and l <= 3, v and w <= 3, last and not pz[i + 1], min(n, 60) / 60, l / 9, i < 3]
    return F_
def shifted(ph):
    q = np.array([PHI[p] for p in ph]); n = len(q); z = np.full(n + 4, -1); z[2:n + 2] = q; return [z[2 + o:2 + o + n] for o in (0, -1, 1, -2, 2)]
def feats(ph, own):
    X = np.zeros((len(ph), NP_ * 5 + NFL), np.float32)
    for k, q in enumerate(shifted(ph)): i = np.where(q >= 0)[0]; X[i, k * NP_ + q[i]] = 1
    X[:, NP_ * 5:] = flags(ph, own); return X
def predict(ph, own, W):
    y = flags(ph, own) @ W[NP_ * 5:]
    for k, q in enumerate(shifted(ph)): y = y + np.where(q >= 0, W[k * NP_ + np.maximum(q, 0)], 0)
    return np.exp(y)
def durations(ph, own, W):
    d = predict(ph, own, W); out = []
    for i in range(len(ph)):
        last = i == 0 or (own[i] >= 0 and next((own[j] for j in range(i + 1, len(ph)) if own[j] >= 0), -1) != own[i]); out.append(max(2 if last else 1, int(d[i] + .5)))
    return out
def tokens(ph, own, d, nslot):
    """-> semantic tokens: (phone, countdown) and a pointer in the last frame of every piece"""
    n = len(ph); nxt = [-1] * n; cur = -1
    for i in range(n - 1, -1, -1):
        nxt[i] = cur
        if own[i] >= 0: cur = own[i]
    out = []
    for i in range(n):
        last = i == 0 or (own[i] >= 0 and nxt[i] != own[i]); base = PHI[ph[i]] * RMAX; k = -(-d[i] // RMAX); q = [d[i] // k + (j < d[i] % k) for j in range(k)]
        for m in q: out += [base + x - 1 for x in range(m, 0, -1)]
        if last: out[-1] = PTR + (min(S - 1, nxt[i]) if nxt[i] >= 0 else min(S - 1, nslot))
    return out
def everyday(R, n):
    """short everyday sentences of common words in many frames, and word lists over the whole vocabulary"""
    return []
def main():
    t0 = time.time(); R = random.Random(3); T = open('texts.txt').read().split('\n'); test = {clean(x).lower() for x in open('lj_test.txt')} | {x.strip().lower() for x in open('everyday_test.txt')}
    T = [x for x in T if x.lower() not in test and len(x) <= 115]; NT = int(os.environ.get('NT', 100000))
    if 'fit' not in sys.argv: tok = make_tokenizer(T)
    tok = tokenizer(); V = [w for w in tok.get_vocab() if re.fullmatch('[a-z]{2,}', w)]; R.shuffle(V); k = 0
    extra = []
    while k < len(V): n = R.choice((2, 3, 4, 5)); extra.append(' '.join(V[k:k + n]) + R.choice(('.', '.', '?', '!', ','))); k += n
    R.shuffle(extra); R.shuffle(T); T = T[:NT] + extra[:NT // 5]; S_ = Slots(tok)
    for it in range(1):                                   # pronunciation of continuation pieces from words outside the vocabulary
        C = collections.defaultdict(collections.Counter); multi = [x for x in T if any(p.startswith('##') for p in tok.encode(x, add_special_tokens=False).tokens)][:1200]
        for x in multi:
            r = parse(x)
            if r is None: continue
            ids, own = S_(x, *r); tk = [tok.id_to_token(i) for i in ids]; by = collections.defaultdict(list)
            for p, o in zip(r[0], own):
                if o >= 0: by[o].append(p)
            for o, p in by.items(): C[tk[o]][tuple(p)] += 1
        for w, c in C.items():
            if w.startswith('##') and c.most_common(1)[0][1] >= 2 and not w[2:].isdigit(): S_.lex[w] = list(c.most_common(1)[0][0])
        print('multi-piece texts', len(multi), round(time.time() - t0), 's', {w: S_.lex[w] for w in list(S_.lex) if w in ('##ing', '##s', '##ed', '##er', '##tion', '##ly', '##ness')}, flush=True)
    # all texts
    D = []; C = collections.defaultdict(collections.Counter); unk = collections.Counter()
    for x in T:
        r = parse(x)
        if r is None: continue
        if any(p not in PHI for p in r[0]): unk.update(p for p in r[0] if p not in PHI); continue
        ids, own = S_(x, *r)
        if len(ids) > S - 1: continue
        tk = [tok.id_to_token(i) for i in ids]; by = collections.defaultdict(list)
        for p, o in zip(r[0], own):
            if o >= 0: by[o].append(p)
        for o, p in by.items(): C[tk[o]][tuple(p)] += 1
        D.append((x, ids, r[0], own))
    print('texts', len(D), 'unknown phones', unk.most_common(20), round(time.time() - t0), 's', flush=True)
    lex = {}
    for w in tok.get_vocab():
        if w[0] == '[' or w in PUNC and w not in '&%$': lex[w] = []; continue
        lex[w] = list(C[w].most_common(1)[0][0]) if w in C and C[w].most_common(1)[0][1] >= 1 else S_.iso(w)
        lex[w] = [p for p in lex[w] if p in PHI]
    pickle.dump(lex, open('lexicon.pkl', 'wb')); X, Y = [], []
    for f in sorted(glob.glob('data/heart_*.pkl'))[:8]:
        for r in pickle.load(open(f, 'rb')):
            ph = [PHMAP.get(p, p) for p in r['ph']]
            if any(p not in PHI for p in ph): continue
            _, own = S_(r['text'], ph, r['st']); X.append(feats(ph, own)); Y += r['d']
    X = np.concatenate(X).astype(np.float64); Y = np.log(np.array(Y, np.float64)); W = np.linalg.solve(X.T @ X + 3. * np.eye(X.shape[1]), X.T @ Y).astype(np.float32); print('duration fit', len(Y), 'rms log error', float(np.sqrt(((X @ W - Y) ** 2).mean())), 'of', float(Y.std()), flush=True)
    pickle.dump(W, open('dur.pkl', 'wb')); out = []
    for x, ids, ph, own in D: out.append((x, np.array(ids, np.int32), np.array(tokens(ph, own, durations(ph, own, W), len(ids)), np.int16)))
    pickle.dump(out, open('sem_data.pkl', 'wb')); print('saved', len(out), 'mean tokens', np.mean([len(y) for _, _, y in out]), 'slots', np.mean([len(y) for _, y, _ in out]), round(time.time() - t0), 's')
if __name__ == '__main__': main()
