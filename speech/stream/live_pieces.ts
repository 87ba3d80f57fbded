import { EngineError } from "../../engine/errors.ts";
import { nothingToSay, Planner, readScript, type PlannedPiece, type PlanOptions } from "../plan.ts";
import { splitPushes } from "../split/stream.ts";
import { pushesOf, type LiveText } from "./pushes.ts";

/** Time that went by while there was no text, in ms. */
export interface Waiting {
  milliseconds: number;
}

/**
 * The pieces of a text that is still being written: each as soon as enough text follows it. Tags hold from stretch to stretch.
 * @returns silence at the end, in ms.
 * @throws EngineError `usage` if there was nothing to say, `bad-input` for wrong markup, `aborted`.
 */
export async function* livePieces(
  text: LiveText,
  options: PlanOptions,
  { signal, notice, waiting }: { signal: AbortSignal | undefined; notice: (line: string) => void; waiting: Waiting },
): AsyncGenerator<PlannedPiece, number, undefined> {
  const planner = new Planner(options);
  const pushes = waitedFor(pushesOf(text), signal, waiting);
  const stretches = splitPushes(pushes, { ...options, canCut: canCutOf(options) });
  let [offset, voice, isEmpty] = [0, "", true];
  for await (const stretch of stretches) {
    // A voice that the text chose before lasts.
    const prefix = voice === "" ? "" : `[voice:${voice}]`;
    const script = readScript(prefix + stretch, options.cast);
    for (const line of script.notices) notice(line);
    const placed = ([from, to]: readonly [number, number]): [number, number] => {
      const shift = offset - prefix.length;
      return [from + shift, to + shift];
    };
    for (const { source, changes, spans, ...piece } of planner.add(script)) {
      const told = changes?.map((change) => ({ ...change, source: placed(change.source) }));
      const moved = spans?.map(([length, from, to]) => [length, ...placed([from, to])] as const);
      yield { ...piece, source: placed(source), ...(told && { changes: told }), ...(moved && { spans: moved }) };
      isEmpty = false;
    }
    if (!/(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)\s*$/.test(stretch)) planner.goOn();
    offset += stretch.length;
    voice = [...stretch.matchAll(/\[voice:([^\]\r\n]*)\]/gi)].at(-1)?.[1].trim() ?? voice;
  }
  if (isEmpty) throw nothingToSay();
  return planner.end;
}

/** SSML is one document; with a cast, a text is cut where nobody speaks on: at blank lines, and where a speaker begins. */
function canCutOf({ cast = {} }: PlanOptions): (text: string, at: number) => boolean {
  const names = Object.keys(cast).map((name) => name.trim().toLowerCase());
  const speakerBegins = (line: string): boolean => names.some((name) => line.toLowerCase().startsWith(name));
  let isSsml: boolean | undefined;
  return (text, at) => {
    isSsml ??= /^\s*<speak\b/i.test(text);
    if (isSsml) return false;
    if (names.length === 0) return true;
    const before = /(?:^|[\r\n])\s*$/.exec(text.slice(0, at))?.[0];
    return before !== undefined && (/(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)/.test(before) || speakerBegins(text.slice(at)));
  };
}

/** The same values; a listener who leaves is not kept waiting for the next. */
async function* waitedFor<T>(
  values: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal | undefined,
  waiting: Waiting,
): AsyncGenerator<T, void, undefined> {
  const abort = new Promise<never>((_, reject) => {
    const stop = (): void =>
      reject(new EngineError("aborted", "generation was stopped", { where: "text", cause: signal?.reason }));
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
  abort.catch(() => undefined); // Nobody may be waiting.
  for (;;) {
    const began = performance.now();
    const next = await Promise.race([values.next(), abort]);
    waiting.milliseconds += performance.now() - began;
    if (next.done === true) return;
    yield next.value;
  }
}
