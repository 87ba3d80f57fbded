/** Damaged files: seeded, so that a failure can be repeated by its number. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** An integer from 0 to `limit` - 1 (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

const words = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const byteChanges: ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, random) => bytes.with(random.below(bytes.length), random.below(256)),
  (bytes, random) => {
    const at = random.below(bytes.length);
    return bytes.with(at, bytes[at] ^ (1 << random.below(8)));
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length)),
  (bytes, random) => without(bytes, random.below(bytes.length), 1 + random.below(40)),
  (bytes, random) => {
    const at = random.below(bytes.length);
    const from = random.below(bytes.length);
    return Uint8Array.of(
      ...bytes.subarray(0, at),
      ...bytes.subarray(from, from + random.below(60)),
      ...bytes.subarray(at),
    );
  },
  (bytes, random) => {
    const at = random.below(bytes.length);
    return bytes.slice().fill(random.pick([0, 0x20, 0xff]), at, at + 1 + random.below(16));
  },
  (bytes, random) => {
    const copy = bytes.slice();
    const width = random.pick([1, 2, 4] as const);
    const view = new DataView(copy.buffer, random.below(bytes.length - width));
    const word = random.pick(words);
    if (width === 1) view.setUint8(0, word);
    else if (width === 2) view.setUint16(0, word, true);
    else view.setUint32(0, word, true);
    return copy;
  },
];

/** One to three changes: bytes, bits, words, pieces lost, doubled or blanked, the end cut off. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let changes = 1 + random.below(3); changes > 0 && result.length > 8; changes--)
    result = random.pick(byteChanges)(result, random);
  return result;
}

function without(bytes: Uint8Array, at: number, count: number): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + count));
}

const oddValues: unknown[] = [
  ...[null, true, false, "", "x", "constructor", "[UNK]", [], {}, [0], [null], { a: 1 }, "9".repeat(400)],
  ...[0, -0, -1, 1, 2, 0.5, 255, 65536, 1e9, 2 ** 31, 2 ** 32 - 2, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, -1e300],
  JSON.parse("[".repeat(1000) + "]".repeat(1000)),
];

/** The text of `value` with one entry replaced, lost, renamed, exchanged or doubled. */
export function mutateJson(value: unknown, random: Random): string {
  const copy = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  const target = randomObject(copy, random);
  const keys = Object.keys(target);
  if (keys.length === 0) return JSON.stringify(random.pick(oddValues));
  const key = random.pick(keys);
  const other = random.pick([...keys, "constructor", "toString", "new"]);
  switch (random.below(5)) {
    case 0:
      delete target[key];
      break;
    case 1:
      [target[key], target[other]] = [target[other], target[key]];
      break;
    case 2:
      // JSON.parse keeps the second of two equal keys; text alone can say them.
      return JSON.stringify({ ...copy }).replace(/\{/, `{${JSON.stringify(key)}:${JSON.stringify(target[key])},`);
    case 3:
      if (typeof target[key] === "number") target[key] += random.pick([1, -1, 8, 1e6, 0.5]);
      else target[key] = [target[key]];
      break;
    default:
      target[key] = random.pick(oddValues);
  }
  return JSON.stringify(copy);
}

/** An object or list inside `value`, shallow ones as likely as deep ones. */
function randomObject(value: Record<string, unknown>, random: Random): Record<string, unknown> {
  const inner = Object.values(value).filter((item) => typeof item === "object" && item !== null);
  if (inner.length === 0 || random.below(4) === 0) return value;
  return randomObject(random.pick(inner) as Record<string, unknown>, random);
}
