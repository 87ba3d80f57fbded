"""Step 7. the four parts -> one folder in the layout of suno/bark-small (f32, and a copy in f16).
usage: export.py [OUTDIR=out]"""
import sys, os, json, pickle, shutil
import numpy as np, torch
from common import *
from transformers import GenerationConfig, BarkConfig, BarkModel, BarkProcessor, BertTokenizerFast, EncodecModel
from transformers.models.bark.configuration_bark import BarkSemanticConfig, BarkCoarseConfig, BarkFineConfig
from transformers.models.bark.generation_configuration_bark import BarkGenerationConfig, BarkSemanticGenerationConfig, BarkCoarseGenerationConfig, BarkFineGenerationConfig
import codec
def gpt(path): d = torch.load(path); return d['model'], d['cfg']
def strip(f):
    """drop what every loader can rebuild: causal masks and the EMA copies of the codebooks"""
    from safetensors.torch import load_file, save_file
    t = load_file(f); save_file({k: v.contiguous() for k, v in t.items() if not k.endswith('.attn.bias') and not k.endswith('embed_avg')}, f, metadata={'format': 'pt'})
LOUDER = 3.0                                             # the teacher is vocoded at -28 LUFS, and nobody wants to turn the volume up: peaks reach 0.8
def semantic():
    d = torch.load('semantic.pt'); s, cfg, lex = d['model'], d['cfg'], d['lex'].float(); W = s['input_embeds_layer.weight']; s['input_embeds_layer.weight'] = torch.cat([W[:TEXT0 + NTRAIN], lex[NTRAIN:], W[TEXT0 + NTRAIN:]]); return s, cfg
def main(out):
    os.makedirs(out, exist_ok=True); (s, sc), (c, cc) = semantic(), gpt('coarse.pt')
    d = torch.load('fine.pt'); f, fc = d['model'], d['cfg']
    cfg = BarkConfig(semantic_config=BarkSemanticConfig(**sc, bias=False, dropout=0.).to_dict(), coarse_acoustics_config=BarkCoarseConfig(**cc, bias=False, dropout=0.).to_dict(),
                     fine_acoustics_config=BarkFineConfig(**fc, bias=False, dropout=0., n_codes_total=NQ, n_codes_given=1).to_dict(), codec_config=codec.config().to_dict())
    m = BarkModel(cfg).eval()
    def load(mod, sd, ok):
        r = mod.load_state_dict(sd, strict=False); assert not r.unexpected_keys, r.unexpected_keys; bad = [k for k in r.missing_keys if not any(o in k for o in ok)]; assert not bad, bad
    load(m.semantic, s, ['attn.bias']); load(m.coarse_acoustics, c, ['attn.bias']); load(m.fine_acoustics, f, ['lm_heads']); m.fine_acoustics.tie_weights()
    k = torch.load('codec.pt'); m.codec_model.load_state_dict(k['model'])
    for i in range(NQ): m.codec_model.quantizer.layers[i].codebook.embed.copy_(k['E'][i])
    last = m.codec_model.decoder.layers[-1].conv; last.parametrizations.weight.original0.data.mul_(LOUDER); last.bias.data.mul_(LOUDER)
    if os.path.exists('codec_enc.pt'): m.codec_model.encoder.load_state_dict(torch.load('codec_enc.pt')); m.codec_model.encoder.layers[0].conv.parametrizations.weight.original0.data.div_(LOUDER)       # it hears what the decoder says
    T = json.load(open('sampling.json')) if os.path.exists('sampling.json') else dict(semantic=0.2, coarse=0.4, fine=None)
    sg = BarkSemanticGenerationConfig(eos_token_id=NSEM, do_sample=True, temperature=T['semantic'], top_k=50, max_new_tokens=240, text_encoding_offset=TEXT0, text_pad_token=TEXT_PAD, semantic_infer_token=INFER,
        semantic_vocab_size=NSEM, semantic_pad_token=NSEM, max_input_semantic_length=S, semantic_rate_hz=RATE, renormalize_logits=True)
    cg = BarkCoarseGenerationConfig(do_sample=True, temperature=T['coarse'], top_k=50, coarse_semantic_pad_token=C_PAD, coarse_rate_hz=HZ, n_coarse_codebooks=2, coarse_infer_token=C_INFER,
        max_coarse_input_length=CIN, max_coarse_history=CHIST, sliding_window_len=SLIDE, renormalize_logits=True)
    fg = BarkFineGenerationConfig(temperature=T['fine'] if T['fine'] else 1.0, max_fine_history_length=FHIST, max_fine_input_length=FIN, n_fine_codebooks=NQ)
    g = BarkGenerationConfig(semantic_config=sg.to_dict(), coarse_acoustics_config=cg.to_dict(), fine_acoustics_config=fg.to_dict(), sample_rate=24000, codebook_size=CB)
    gc = {k: ({a: b for a, b in v.to_dict().items() if b is not None and a not in ('transformers_version', '_from_model_config')} if hasattr(v, 'to_dict') else v) for k, v in g.__dict__.items() if k[0] != '_'}; gc['model_type'] = 'bark'
    def save(o):                                          # BarkGenerationConfig.save_pretrained raises in 5.x (it never runs GenerationConfig.__init__), so write that file ourselves
        m.generation_config = GenerationConfig(); m.save_pretrained(o); json.dump(gc, open(o + '/generation_config.json', 'w'), indent=2)
    save(out)
    tokenizer().save(out + '/tokenizer.json'); vocab = tokenizer().get_vocab(); open(out + '/vocab.txt', 'w').write('\n'.join(sorted(vocab, key=vocab.get)) + '\n')
    tk = BertTokenizerFast(tokenizer_file=out + '/tokenizer.json', vocab_file=out + '/vocab.txt', do_lower_case=True, model_max_length=512); tk.save_pretrained(out)
    whole = tokenizer(); whole.add_special_tokens(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']); whole.save(out + '/tokenizer.json')
    json.dump(dict(unk_token='[UNK]', sep_token='[SEP]', pad_token='[PAD]', cls_token='[CLS]', mask_token='[MASK]'), open(out + '/special_tokens_map.json', 'w'), indent=1)
    open(out + '/vocab.txt', 'w').write('\n'.join(sorted(vocab, key=vocab.get)) + '\n')
    os.makedirs(out + '/speaker_embeddings', exist_ok=True); paths = dict(repo_or_path='.')
    A = pickle.load(open('acoustic.pkl', 'rb')) if not os.path.exists('presets.pkl') else None
    if A:                                                 # a preset = one 2 s training utterance of the voice
        P = {}
        for v, name in (('heart', 'en_speaker_0'), ('low', 'en_speaker_1')):
            L = sorted([r for r in A if r['voice'] == v and 44 <= len(r['sem']) <= 70 and r['text'][-1] == '.'], key=lambda r: abs(len(r['sem']) - 50))
            if L: P[name] = L[0]
        pickle.dump({n: dict(sem=r['sem'], codes=r['codes'], text=r['text']) for n, r in P.items()}, open('presets.pkl', 'wb'))
    for name, r in pickle.load(open('presets.pkl', 'rb')).items():
        e = dict(semantic_prompt=r['sem'].astype(np.int64), coarse_prompt=r['codes'][:2].astype(np.int64), fine_prompt=r['codes'].astype(np.int64)); paths[name] = {}
        for key, a in e.items():
            np.save(f'{out}/speaker_embeddings/{name}_{key}.npy', np.ascontiguousarray(a)); paths[name][key] = f'speaker_embeddings/{name}_{key}.npy'
    json.dump(paths, open(out + '/speaker_embeddings_path.json', 'w'), indent=1)
    h = out.rstrip('/') + '_f16'; shutil.rmtree(h, ignore_errors=True); shutil.copytree(out, h); m.half(); save(h)
    strip(h + '/model.safetensors')
    n = lambda x: sum(p.numel() for p in x.parameters())
    print('parameters', dict(semantic=n(m.semantic), coarse=n(m.coarse_acoustics), fine=n(m.fine_acoustics), decoder=n(m.codec_model.decoder), encoder=n(m.codec_model.encoder), total=n(m)))
    for o in (out, h): print(o, os.path.getsize(o + '/model.safetensors'))
    m = BarkModel.from_pretrained(out); p = BarkProcessor.from_pretrained(out); a = m.generate(**p('Hello, my dog is cute.', voice_preset='en_speaker_0')); print('self test', a.shape)
if __name__ == '__main__': main(sys.argv[1] if len(sys.argv) > 1 else 'out')
