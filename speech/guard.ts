import { lettersOf } from "./split/measure.ts";

/** What can be wrong with a piece, from its tokens and samples alone. */
export type Flag =
  | "no-end" // The model did not end the speech.
  | "too-short" // For its letters, beside the pieces before.
  | "too-long"
  | "quiet" // Hardly anything is heard.
  | "silence" // A long silence inside.
  | "mostly-silent"
  | "loop" // Tokens that repeat themselves.
  | "clipped"
  | "tail"; // Sound after the end, which was cut off.

/** What a run made of a piece. */
export interface Take {
  readonly text: string;
  /** Mono, unclipped. [samples] */
  readonly audio: Float32Array<ArrayBuffer>;
  /** Samples a second. */
  readonly rate: number;
  /** Without end of speech and padding. */
  readonly semantic: readonly number[];
  readonly semanticRate: number;
  readonly hasEnded: boolean;
}

/** A take that was looked at. */
export interface GuardedTake {
  /** The take's samples, without what came after the end of the speech. */
  readonly audio: Float32Array<ArrayBuffer>;
  readonly flags: readonly Flag[];
  /** From the first sound to the last. */
  readonly seconds: number;
}

const frameMilliseconds = 20;
/** Below this a frame is silent: as loud as the noise of a quiet room. */
const silent = 10 ** (-45 / 20);
const longestSilence = 1.5;
/** Sound that begins again after so long a silence, once the text should be over, belongs to no text. */
const silenceBeforeTail = 0.7;
/** Repeats of an n-gram of eight tokens or more (soprano PR 24); a token that stays for longer than half a second. */
const [shortestLoop, longestLoop, repeats, longestToken] = [8, 40, 4, 0.5];
/** Bounds of the length beside the voice's mean, in seconds a letter. */
const [shortest, longest] = [0.4, 2.2];
/** Of Bark: 14 letters a second. */
const usualPace = 1 / 14;

/** How fast a voice speaks: the mean of its good pieces, which begins with what is usual. */
export class Pace {
  #seconds = 40 * usualPace;
  #letters = 40;

  /** Seconds that a text should take. */
  expected(text: string): number {
    return this.ofLetters(lettersOf(text));
  }

  ofLetters(letters: number): number {
    return (letters * this.#seconds) / this.#letters;
  }

  /** How far a length is from that: its logarithm, so that half and double are alike. */
  drift(text: string, seconds: number): number {
    return Math.abs(Math.log(seconds / this.expected(text)));
  }

  add(text: string, seconds: number): void {
    this.#seconds += seconds;
    this.#letters += lettersOf(text);
  }
}

/**
 * Looks for what listeners complain of: speech that does not end, silence, repetition, words after the text. No recogniser is
 * needed. Sound after a long silence where the text should be over is cut off.
 */
export function guard(take: Take, pace: Pace): GuardedTake {
  const frame = Math.round((take.rate * frameMilliseconds) / 1000);
  const level = levels(take.audio, frame);
  const expected = pace.expected(take.text);
  const cut = endBeforeTail(level, expected);
  const audio = cut === undefined ? take.audio : take.audio.slice(0, cut * frame);
  const heard = cut === undefined ? level : level.slice(0, cut);
  const first = heard.findIndex((value) => value > silent);
  const last = heard.findLastIndex((value) => value > silent);
  const seconds = first < 0 ? 0 : ((last + 1 - first) * frameMilliseconds) / 1000;
  // A word or two may take any time.
  const isLongEnough = lettersOf(take.text) >= 20;
  const found: Readonly<Record<Flag, boolean>> = {
    "no-end": !take.hasEnded,
    "too-short": isLongEnough && seconds < shortest * expected,
    "too-long": isLongEnough && seconds > longest * expected,
    quiet: rootMeanSquare(audio) < silent,
    silence: longestRun(heard.slice(Math.max(first, 0), last + 1)) * frameMilliseconds > longestSilence * 1000,
    "mostly-silent": heard.filter((value) => value <= silent).length > 0.6 * heard.length && heard.length > 50,
    loop: isLoop(take.semantic, take.semanticRate),
    clipped: audio.filter((sample) => Math.abs(sample) >= 1).length > 0.01 * audio.length,
    tail: cut !== undefined,
  };
  return { audio, seconds, flags: (Object.keys(found) as Flag[]).filter((flag) => found[flag]) };
}

/** Flags that another take may not have; what was cut off is no longer there. */
export function faultsOf(flags: readonly Flag[]): readonly Flag[] {
  return flags.filter((flag) => flag !== "tail");
}

/** The notice of a piece whose best take has faults. @param subject such as `piece 2 of 3`. */
export function faultLine(subject: string, text: string, flags: readonly Flag[], attempts: number): string {
  const takes = attempts === 1 ? "" : ` in the best of ${attempts} takes`;
  return `${subject} may be bad (${faultsOf(flags).join(", ")})${takes}: ${JSON.stringify(text.slice(0, 40))}`;
}

/** Root mean square of each frame. */
function levels(audio: Float32Array, frame: number): number[] {
  const count = Math.ceil(audio.length / frame);
  return Array.from({ length: count }, (_, i) => rootMeanSquare(audio.subarray(i * frame, (i + 1) * frame)));
}

function rootMeanSquare(audio: Float32Array): number {
  let sum = 0;
  for (const sample of audio) sum += sample * sample;
  return audio.length === 0 ? 0 : Math.sqrt(sum / audio.length);
}

/** The frame where the speech ended, if sound begins again behind a long silence after the expected time. */
function endBeforeTail(level: readonly number[], expected: number): number | undefined {
  const frames = (silenceBeforeTail * 1000) / frameMilliseconds;
  let run = 0;
  for (const [i, value] of level.entries()) {
    if (value > silent) {
      const end = i - run;
      // 0.9: a voice may speak somewhat faster than its mean.
      if (run >= frames && end > 0 && (end * frameMilliseconds) / 1000 >= 0.9 * expected) return end;
      run = 0;
    } else run++;
  }
  return undefined;
}

/** Frames of the longest silence. */
function longestRun(level: readonly number[]): number {
  let [longest, run] = [0, 0];
  for (const value of level) {
    run = value > silent ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

function isLoop(tokens: readonly number[], rate: number): boolean {
  const same = Math.max(25, Math.ceil(longestToken * rate));
  for (let start = 0, i = 1; i <= tokens.length; i++) {
    if (tokens[i] === tokens[start]) continue;
    if (i - start > same) return true;
    start = i;
  }
  for (let period = shortestLoop; period <= longestLoop; period++) {
    let run = 0;
    for (let i = period; i < tokens.length; i++) {
      run = tokens[i] === tokens[i - period] ? run + 1 : 0;
      if (run >= period * (repeats - 1)) return true;
    }
  }
  return false;
}
