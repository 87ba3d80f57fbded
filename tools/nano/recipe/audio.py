"""Step 1. Teacher audio, durations on the token grid, cepstra and excitation codes, both voices.
usage: audio.py FIRST_SHARD LAST_SHARD [step]   writes data/heart_NNN.pkl, data/low_NNN.pkl (100 texts each; the second voice reads other texts)"""
import sys, os, pickle, random, time, re
import numpy as np; import teacher
T = [x for x in open('texts.txt').read().split('\n') if 6 <= len(x) <= 72 and not re.search(r'[$%&]', x)]; random.Random(7).shuffle(T); os.makedirs('data', exist_ok=True)
step = int(sys.argv[3]) if len(sys.argv) > 3 else 1
for k in range(int(sys.argv[1]), int(sys.argv[2]), step):
    for voice, part in (('heart', T[k * 100:k * 100 + 100]), ('low', T[::-1][k * 50:k * 50 + 50])):
        f = f'data/{voice}_{k:03d}.pkl'
        if os.path.exists(f): continue
        rows = []; t0 = time.time()
        for i, x in enumerate(part):
            p = teacher.prep(x)
            if p is None or not 8 <= sum(p['d']) <= 160: continue
            w, cep, c1 = teacher.speak(p, voice, seed=k * 1000 + i); rows.append(dict(text=x, ph=p['ph'], st=p['st'], d=p['d'], wav=np.clip(w * 32767, -32768, 32767).astype(np.int16), cep=cep, c1=c1.astype(np.int32)))
        pickle.dump(rows, open(f + '.tmp', 'wb')); os.rename(f + '.tmp', f); print(f, len(rows), round(sum(sum(r['d']) for r in rows) / 25), 's audio', round(time.time() - t0), 's', flush=True)
