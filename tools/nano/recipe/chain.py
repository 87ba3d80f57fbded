"""Free-running coarse on true semantic tokens, in batches, with the windows of BarkCoarseModel.generate; and its use as a check.
usage: chain.py check N TEMP [coarse.pt]      Whisper WER of: free c0 + free c1 | free c0, true c1 | true c0, free c1   on hold-out utterances"""
import sys
from coarse import *
from common import *
@torch.no_grad()
def free(m, sems, temp=0., seed=0, force=None):
    """list of semantic arrays -> list of [2,T] codes; force: list of [2,T] true codes and a set of codebooks taken from them"""
    g = torch.Generator().manual_seed(seed); B = len(sems); L = [6 * len(s) for s in sems]; N = max(L); co = np.zeros((B, 0), np.int64); E = m.input_embeds_layer.weight
    tc = np.stack([np.pad(flat(f), (0, N - 2 * f.shape[1]), mode='edge') for f in force[0]]) if force else None
    while co.shape[1] < N:
        gdone = co.shape[1]; idx = int(round(gdone / RATIO)); S_ = []
        for s in sems: w = s[max(0, idx - MAXS):][:CIN]; S_.append(np.pad(w, (0, CIN - len(w)), constant_values=C_PAD))
        x = torch.from_numpy(np.concatenate([np.stack(S_), np.full((B, 1), C_INFER), co[:, -CHIST:] if gdone else co], 1)).long(); cache = [{} for _ in m.layers]; h = m(F.embedding(x, E), cache)[:, -1]; past = x.shape[1]; n = min(SLIDE, N - gdone); out = []
        for j in range(n):
            o = NSEM + CB * (j % 2); lg = F.linear(h, m.lm_head.weight[o:o + CB]).float()
            y = lg.argmax(-1) if temp == 0 else torch.multinomial((lg / temp).softmax(-1), 1, generator=g)[:, 0]
            y = y + o
            if force and j % 2 in force[1]: y = torch.from_numpy(tc[:, gdone + j])
            out.append(y)
            if j < n - 1: h = m(F.embedding(y[:, None], E), cache, past)[:, -1]; past += 1
        co = np.concatenate([co, torch.stack(out, 1).numpy()], 1)
    return [np.stack([c[:l:2] - NSEM, c[1:l:2] - NSEM - CB]) for c, l in zip(co, L)]
def load(f='coarse.pt'): d = torch.load(f); c = d['cfg']; m = GPT(c['input_vocab_size'], c['output_vocab_size'], c['block_size'], c['hidden_size'], c['num_layers'], c['num_heads']); m.load_state_dict(d['model']); return m.eval()
if __name__ == '__main__':
    from hear import hear, wer; import codec, soundfile as sf; n, temp = int(sys.argv[2]), float(sys.argv[3]); m = load(sys.argv[4] if len(sys.argv) > 4 else 'coarse.pt'); d = torch.load('codec.pt'); M, _ = codec.build(); M.load_state_dict(d['model']); M.eval(); E = d['E']; Z = torch.load('rvq.pt')['zero']
    R = [r for r in pickle.load(open('acoustic.pkl', 'rb')) if r['val'] and r['voice'] == os.environ.get('VOICE', 'heart') and len(r['sem']) > 30][:n]; tr = [r['codes'][:2].astype(np.int64) for r in R]; sems = [r['sem'].astype(np.int64) for r in R]
    for name, f in (('free', None), ('free c0', {1}), ('free c1', {0})):
        C = free(m, sems, temp, force=None if f is None else (tr, f)); P = []
        for i, (c, r) in enumerate(zip(C, R)):
            q = torch.zeros(1, 8, c.shape[1], dtype=torch.long); q[0, :2] = torch.from_numpy(c); q[0, 2:] = torch.tensor(Z[2:])[:, None]
            with torch.no_grad(): y = M.decoder(codec.latent(E, E[1], q, False))[0, 0].numpy()
            P.append((r['text'], hear(y)))
        print(name, 'WER', round(wer(P), 3), 'c0 equal', np.mean([np.mean(a[0] == b[0]) for a, b in zip(C, tr)]).round(3), flush=True)
        if f is None:
            for p in P[:8]: print('   ', p)
