"""Step 4 (start). The second recipe's semantic GPT (trained on text, espeak phones and durations of a regression; no audio) with its phone rows moved to misaki's phones.
usage: warm_semantic.py OLD_SEMANTIC.pt   writes semantic.pt"""
import sys, torch
from semantic import *
OLD = ("p^ p, p. p? n t ɹ s d l k z m ð p w v b f h ŋ ɡ ɾ ʃ j dʒ tʃ θ ʒ ə ɪ ɛ ɚ ʌ i æ ɐ ᵻ ɑː ɔː iː uː aɪ oʊ eɪ ʊ aʊ ɜː ɔ ˈɛ ˈɪ ˈeɪ ˈæ ˈɑː ˈʌ ˈaɪ ˈiː ˈoʊ ˈɔː ˈuː ˈɜː ˈaʊ ˈʊ ˈɔ ˈɔɪ").split(); OI = {p: i for i, p in enumerate(OLD)}; assert len(OLD) == 65
d = torch.load(sys.argv[1]); w = d['model']; m = torch.tensor([OI[OLD_OF[p]] for p in PH]); n = 65 * RMAX; T0 = n + S + 8; rows = (m[:, None] * RMAX + torch.arange(RMAX)[None]).reshape(-1)
E, Hd = w['input_embeds_layer.weight'], w['lm_head.weight']
w['input_embeds_layer.weight'] = torch.cat([E[rows], E[n:n + S + 8], E[T0:]]); w['lm_head.weight'] = torch.cat([Hd[rows], Hd[n:]])
M = Model(codes_of(pickle.load(open('lexicon.pkl', 'rb')), tokenizer().get_vocab())); M.load_state_dict(w); save(M); print({k: v for k, v in M.cfg.items()})
p, q, r, o = per(M, tests()); print('before training: everyday PER', p, 'no end', q, 'length', r, ' '.join(phones(o[0])))
