import { expect } from "chai";
import { EngineError } from "../../../engine/errors.ts";
import { Random } from "./mutations.ts";

const mutations = 1000;
const spareBytes = 200e6;
const longestSeconds = 5;

/**
 * Loads 1,000 damaged versions of a file. Each must load, or reject with an EngineError `bad-input` whose one line names
 * the file; within 5 s and with no more memory than the file's size and 200 MB.
 * @param name what the line must contain. @returns how many were loaded.
 */
export async function loadOrRefuse(
  name: string,
  mutate: (random: Random) => Uint8Array,
  load: (file: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<number> {
  let loaded = 0;
  for (let seed = 0; seed < mutations; seed++) {
    const file = Uint8Array.from(mutate(new Random(seed)));
    const began = performance.now();
    const { error, bytes } = await allocating(async () => await load(file));
    const which = `mutation ${seed}`;
    expect((performance.now() - began) / 1000, `${which}: seconds`).to.be.below(longestSeconds);
    expect(bytes, `${which}: bytes allocated`).to.be.below(file.length + spareBytes);
    if (error === undefined) loaded++;
    else expectRefusal(error, name, which);
  }
  return loaded;
}

function expectRefusal(error: unknown, name: string, which: string): void {
  if (!(error instanceof EngineError)) throw new Error(`${which}: ${String(error)}`, { cause: error });
  const line = error.toLine();
  expect(error.code, `${which}: ${line}`).to.equal("bad-input");
  expect(line, which).to.contain(name);
  expect(line, which).to.not.match(/[\p{Cc}\u2028\u2029]/u);
}

const arrays = [
  "ArrayBuffer",
  "Uint8Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
];
const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => { byteLength: number }>;

/** Runs `call` and adds up what it allocates: the arrays it makes, and the growth of the heap. */
async function allocating(call: () => Promise<void>): Promise<{ error?: unknown; bytes: number }> {
  let bytes = 0;
  const originals = arrays.map((name) => globals[name]);
  for (const [i, name] of arrays.entries())
    globals[name] = new Proxy(originals[i], {
      construct(target, args, newTarget) {
        const array = Reflect.construct(target, args, newTarget) as { byteLength: number };
        if (!(args[0] instanceof originals[0])) bytes += array.byteLength; // else a view, which takes nothing
        return array;
      },
    });
  const heap = process.memoryUsage().heapUsed;
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  } finally {
    for (const [i, name] of arrays.entries()) globals[name] = originals[i];
  }
  return { error, bytes: bytes + Math.max(0, process.memoryUsage().heapUsed - heap) };
}
