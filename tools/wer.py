"""Word error rate of pocketsphinx on what tools/wer.ts has spoken: python tools/wer.py FOLDER (pip install pocketsphinx).

Prints a line a format, and with --texts what was heard. WER = (substitutions + insertions + deletions) / words.
"""
import json
import re
import sys
import wave
from pathlib import Path

from pocketsphinx import Decoder


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def edits(reference, heard):
    """Levenshtein distance of two lists of words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def recognise(decoder, file):
    with wave.open(str(file)) as wav:
        samples = wav.readframes(wav.getnframes())
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""


def main(folder, with_texts):
    sentences = json.loads((folder / "sentences.json").read_text())
    for dtype in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        wrong = total = 0
        for i, sentence in enumerate(sentences):
            for file in sorted((folder / dtype).glob(f"*_{i}.wav")):
                # A decoder adapts to what it has heard; every sentence gets a fresh one.
                heard = recognise(Decoder(samprate=16000, loglevel="FATAL"), file)
                wrong += edits(words(sentence), words(heard))
                total += len(words(sentence))
                if with_texts:
                    print(f"  {file.stem}: {sentence} | {heard}")
        print(f"{dtype}: WER {wrong / total:.3f} ({wrong} of {total} words)")


main(Path(sys.argv[1]), "--texts" in sys.argv)
