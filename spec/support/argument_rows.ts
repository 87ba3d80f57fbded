import { expect } from "chai";
import { EngineError } from "../../engine/errors.ts";

/** Values that an argument may be given, by what is odd of them. */
const oddValues = {
  null: null,
  text: "x",
  NaN: NaN,
  fraction: 1.5,
  negative: -1,
  huge: 2 ** 80,
  bigint: 3n,
  boolean: true,
  object: {},
  list: [],
  "list of texts": ["1"],
  function: () => undefined,
  promise: Promise.resolve(1),
} as const;

export type Odd = keyof typeof oddValues;

/** One argument of a public call. */
export interface ArgumentRow {
  readonly call: string;
  readonly argument: string;
  /** Which of the odd values mean something, as in transformers. */
  readonly takes?: readonly Odd[];
  /** It must not be missing. */
  readonly isRequired?: boolean;
  /** How errors call it, where that is not its name. */
  readonly named?: RegExp;
  readonly give: (value: unknown) => unknown;
}

/** Rows of a call that takes its arguments in one object. */
export function namedRows(
  call: string,
  give: (args: Record<string, unknown>) => unknown,
  takes: Readonly<Record<string, readonly Odd[]>>,
): ArgumentRow[] {
  return Object.entries(takes).map(([argument, odd]) => ({
    call,
    argument,
    takes: odd,
    give: (value) => give({ [argument]: value }),
  }));
}

/** Gives every odd value to every argument: it works as in transformers, or an EngineError names the argument. */
export function testRows(rows: readonly ArgumentRow[]): void {
  for (const { call, argument, takes = [], isRequired = false, named, give } of rows)
    it(`${call}, ${argument}`, async () => {
      const refusal = named ?? new RegExp(`^${argument}\\b`);
      for (const [odd, value] of [...Object.entries(oddValues), ["missing", undefined] as const]) {
        const error = await errorOf(() => give(value));
        const isTaken = odd === "missing" ? !isRequired : takes.includes(odd as Odd);
        if (isTaken) expect(error?.message, odd).to.equal(undefined);
        else expect(`${error?.code} ${error?.message}`, odd).to.match(/^(usage|bad-input) /);
        if (!isTaken) expect(error?.message, odd).to.match(refusal);
      }
    });
}

/** Gives arguments by a misspelt name. */
export function testMisspelt(call: string, names: readonly string[], give: (args: object) => unknown): void {
  it(`${call}, misspelt names`, async () => {
    for (const name of names) {
      const wrong = `${name}s`;
      const error = await errorOf(() => give({ [wrong]: 1 }));
      expect(error?.message).to.match(new RegExp(`^${wrong}: is not an argument of .*; did you mean "${name}"\\?$`));
      expect(await errorOf(() => give({ [wrong]: undefined }))).to.equal(undefined);
    }
  });
}

async function errorOf(call: () => unknown): Promise<EngineError | undefined> {
  try {
    await call();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  return undefined;
}
