"""Shared constants and a fast GPT with the same parameter names as transformers' Bark blocks."""
import glob, pickle, math, os, json, numpy as np, torch, torch.nn as nn, torch.nn.functional as F
CONS = "n t ɹ s d l k z m ð p w v b f h ŋ ɡ T ʃ j ʤ ʧ θ ʒ".split()          # misaki's alphabet (hibari's g2p): T = flap, A I O W Y = diphthongs
VOWELS = "ə ɪ ɛ ʌ i æ ᵻ ᵊ ɑ ɔ u I O A ʊ W ɜ Y".split()
STRESSED = "ˈɛ ˈɪ ˈA ˈæ ˈɑ ˈʌ ˈI ˈi ˈO ˈɔ ˈu ˈɜ ˈW ˈʊ ˈY".split()
PAUSES = "p^ p, p. p?".split()           # start, comma, full stop, question mark
PH = PAUSES + CONS + VOWELS + STRESSED; PHI = {p: i for i, p in enumerate(PH)}; NP_ = len(PH)
RMAX, S = 6, 64                          # longest countdown; text slots (max_input_semantic_length) = number of pointer tokens
PTR = NP_ * RMAX                         # first pointer token
NSEM = PTR + S                           # semantic_vocab_size; NSEM itself = pad = eos
TEXT0 = NSEM + 8                         # text_encoding_offset
VOCAB = json.load(open('tokenizer.json'))['model']['vocab'].__len__() if os.path.exists('tokenizer.json') else 0
NTRAIN = 512                             # first text rows (punctuation, letters, digits) that are trained; the other rows are fixed pronunciation codes
TEXT_PAD, INFER = TEXT0 + VOCAB, TEXT0 + VOCAB + 1
SEM_IN, SEM_OUT = TEXT0 + VOCAB + 8, NSEM + 8
RATE, HZ, CB, NQ = 25.0, 75.0, 1024, 8
RATIO = HZ / RATE * 2
CIN, CHIST, SLIDE = 64, 242, 60          # max_coarse_input_length, max_coarse_history, sliding_window_len
C_PAD, C_INFER, C_VOCAB = NSEM + 2 * CB, NSEM + 2 * CB + 2, NSEM + 2 * CB + 8
FIN, FHIST, F_VOCAB = 256, 128, CB + 8

def tokenizer(path='tokenizer.json'):
    from tokenizers import Tokenizer
    return Tokenizer.from_file(path)

class Attn(nn.Module):
    def __init__(s, H, heads, causal):
        super().__init__(); s.h, s.causal = heads, causal
        s.att_proj = nn.Linear(H, 3 * H, bias=False); s.out_proj = nn.Linear(H, H, bias=False)
    def forward(s, x, cache=None):
        B, T, H = x.shape
        q, k, v = (a.view(B, T, s.h, H // s.h).transpose(1, 2) for a in s.att_proj(x).split(H, 2))
        if cache is not None:
            if 'k' in cache: k = torch.cat([cache['k'], k], 2); v = torch.cat([cache['v'], v], 2)
            cache['k'], cache['v'] = k, v
        y = F.scaled_dot_product_attention(q, k, v, is_causal=s.causal and T > 1)
        return s.out_proj(y.transpose(1, 2).reshape(B, T, H))
class MLP(nn.Module):
    def __init__(s, H): super().__init__(); s.in_proj = nn.Linear(H, 4 * H, bias=False); s.out_proj = nn.Linear(4 * H, H, bias=False)
    def forward(s, x): return s.out_proj(F.gelu(s.in_proj(x)))
class Block(nn.Module):
    def __init__(s, H, heads, causal, lnb):
        super().__init__(); s.layernorm_1 = nn.LayerNorm(H, bias=lnb); s.attn = Attn(H, heads, causal); s.layernorm_2 = nn.LayerNorm(H, bias=lnb); s.mlp = MLP(H)
    def forward(s, x, cache=None):
        x = x + s.attn(s.layernorm_1(x), cache); return x + s.mlp(s.layernorm_2(x))
def init(m):
    for n, p in m.named_parameters():
        if p.ndim == 2: nn.init.normal_(p, 0, 0.02 if 'embed' in n or 'head' in n else 1 / math.sqrt(p.shape[1]) * (0.5 if 'out_proj' in n else 0.8))
def sinus(t, H):
    """time features: t [n] seconds -> [n,H]"""
    f = torch.exp(torch.linspace(math.log(0.3), math.log(80.), H // 2)); a = t[:, None] * f[None] * math.pi
    return torch.cat([a.sin(), a.cos()], 1)
class GPT(nn.Module):
    def __init__(s, vin, vout, block, H, L, heads):
        super().__init__(); s.cfg = dict(input_vocab_size=vin, output_vocab_size=vout, block_size=block, hidden_size=H, num_layers=L, num_heads=heads)
        s.input_embeds_layer = nn.Embedding(vin, H); s.position_embeds_layer = nn.Embedding(block, H)
        s.layers = nn.ModuleList(Block(H, heads, True, False) for _ in range(L)); s.layernorm_final = nn.LayerNorm(H, bias=False); s.lm_head = nn.Linear(H, vout, bias=False)
        init(s)
    def forward(s, emb, cache=None, past=0):
        x = emb + s.position_embeds_layer.weight[past:past + emb.shape[1]]
        for i, l in enumerate(s.layers): x = l(x, None if cache is None else cache[i])
        return s.layernorm_final(x)
class Fine(nn.Module):
    def __init__(s, vocab, block, H, L, heads):
        super().__init__(); s.cfg = dict(input_vocab_size=vocab, output_vocab_size=vocab, block_size=block, hidden_size=H, num_layers=L, num_heads=heads)
        s.input_embeds_layers = nn.ModuleList(nn.Embedding(vocab, H) for _ in range(NQ)); s.position_embeds_layer = nn.Embedding(block, H)
        s.layers = nn.ModuleList(Block(H, heads, False, True) for _ in range(L)); s.layernorm_final = nn.LayerNorm(H)
        init(s)
    def forward(s, n, codes):        # codes [B,T,8], predicts codebook n with the tied head
        x = sum(s.input_embeds_layers[i](codes[:, :, i]) for i in range(n + 1)) + s.position_embeds_layer.weight[:codes.shape[1]]
        for l in s.layers: x = l(x)
        return F.linear(s.layernorm_final(x), s.input_embeds_layers[n].weight)
class Muon:
    """torch.optim.Muon with Newton-Schulz in f32, matrices of one shape together (bf16 is emulated on this processor: 15 times slower)"""
    def __init__(s, ps, lr, wd, momentum=.95):
        s.param_groups = [dict(lr=lr)]; s.wd, s.mu = wd, momentum; by = {}
        for p in ps: by.setdefault(tuple(p.shape), []).append(p)
        s.sets = [(P, torch.zeros(len(P), *P[0].shape)) for P in by.values()]
    def zero_grad(s):
        for P, _ in s.sets:
            for p in P: p.grad = None
    @torch.no_grad()
    def step(s):
        lr = s.param_groups[0]['lr']
        for P, m in s.sets:
            g = torch.stack([p.grad for p in P]); m.lerp_(g, 1 - s.mu); x = g.lerp(m, s.mu); t = x.shape[1] > x.shape[2]
            if t: x = x.transpose(1, 2)
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(5): A = x @ x.transpose(1, 2); B = -4.7750 * A + 2.0315 * (A @ A); x = 3.4445 * x + B @ x
            if t: x = x.transpose(1, 2)
            k = .2 * max(x.shape[1:]) ** .5
            for p, u in zip(P, x): p.mul_(1 - lr * s.wd).add_(u, alpha=-lr * k)
class Pair:
    """Muon for the matrices inside the blocks, AdamW for embeddings, heads and norms (one learning rate drives both)"""
    def __init__(s, m, lr, wd=0.02):
        a = [p for n, p in m.named_parameters() if p.ndim == 2 and n.startswith('layers.')]; ids = {id(p) for p in a}
        s.o = [Muon(a, lr, wd), torch.optim.AdamW([p for p in m.parameters() if id(p) not in ids], lr=lr, betas=(0.9, 0.98), weight_decay=0.)]
        s.param_groups = s.o[0].param_groups + s.o[1].param_groups
    def zero_grad(s): [o.zero_grad() for o in s.o]
    def step(s): [o.step() for o in s.o]
def optimizer(m, lr): return Pair(m, lr)
def rows(pattern):
    for f in sorted(glob.glob(pattern)): yield from pickle.load(open(f, 'rb'))
