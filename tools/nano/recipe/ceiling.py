"""How well this recipe can be understood at best: Whisper tiny on the teacher, and on its true codes through nano's decoder, per voice and set of sentences.json.
usage: ceiling.py SENTENCES.json VOICE...     a voice of teacher.py, or NAME:f:flat:warp:vol to try another.  Reads codec.pt and rvq.pt (see from_nano.py)."""
import sys, json
from common import *
import teacher, codec, features
from export import LOUDER
from hear import hear, wer, edit, words
torch.set_num_threads(1); d = torch.load('codec.pt'); E = d['E']; M, _ = codec.build(); M.load_state_dict(d['model']); M.eval(); q = torch.load('rvq.pt')
@torch.no_grad()
def decoded(cep, c1):
    x = torch.tensor(q['zero'])[None, :, None].repeat(1, 1, len(c1)); x[0, 0] = features.assign((torch.from_numpy(cep) - q['mean']) * q['scale'], q['books'][0]); x[0, 1] = torch.from_numpy(c1); return M.decoder(codec.latent(E, E[1], x, False))[0, 0].numpy()
def main():
    sets = json.load(open(sys.argv[1])); P = {s: [(t, teacher.prep(t)) for t in sets[s]] for s in ('choice', 'everyday')}
    for voice in sys.argv[2:]:
        name, *a = voice.split(':')
        if a: teacher.VOICES[name] = dict(zip(('f', 'flat', 'warp', 'vol'), map(float, a)), mid=195.)
        for s, rows in P.items():
            H = []
            for t, p in rows: w, cep, c1 = teacher.speak(p, name); H.append((t, hear(w * LOUDER), hear(decoded(cep, c1) * LOUDER)))
            print(voice, s, 'teacher', round(wer([(t, a) for t, a, _ in H]), 3), 'true codes, decoded', round(wer([(t, b) for t, _, b in H]), 3), flush=True)
            for t, a, b in H:
                if edit(words(t), words(b)): print('   ', t, '|', a, '|', b)
if __name__ == '__main__': main()
