import { expect } from "chai";
import type { CausalLMOutputWithPast } from "../../bark/gpt/forward/model_output.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { expectClose } from "./close.ts";
import { tolerance } from "./fixture.ts";
import { formulaWeights } from "./formula.ts";
import { readFixture } from "./runtime.ts";

/** A call of transformers' forward and what it answered (spec/fixtures/forward). */
export interface ForwardCase {
  name: string;
  /** The case whose cache it continues. */
  past: string | null;
  kwargs: Record<string, unknown>;
  file: string;
  /** Arrays that the file holds one after the other. */
  outputs: { name: string; shape: number[] }[];
}

/** The keywords of a case; embeddings are stored as a formula. */
export function kwargsOf({ kwargs }: ForwardCase): Record<string, unknown> {
  const { inputs_embeds: stored, ...rest } = kwargs;
  if (stored === undefined) return rest;
  const { formula, shape } = stored as { formula: string; shape: number[] };
  const size = shape.reduce((product, extent) => product * extent, 1);
  return { ...rest, inputs_embeds: new NdArray(formulaWeights(formula, size), shape) };
}

type Answer = Pick<CausalLMOutputWithPast, "logits" | "hidden_states" | "attentions"> &
  Partial<Pick<CausalLMOutputWithPast, "past_key_values">>;

/** Fails unless an answer has the arrays that transformers' had, no others, and their values. */
export async function expectAnswer(answer: Answer, { file, outputs }: ForwardCase): Promise<void> {
  const arrays = namedArrays(answer);
  expect([...arrays.keys()]).to.have.members(outputs.map(({ name }) => name));
  const stored = new Float32Array((await readFixture(`forward/${file}`)).buffer);
  let offset = 0;
  for (const { name, shape } of outputs) {
    const array = arrays.get(name)!;
    expect(array.shape, name).to.deep.equal(shape);
    expectClose(array.data, stored.subarray(offset, offset + array.size), tolerance, name);
    offset += array.size;
  }
  expect(offset, "values in the file").to.equal(stored.length);
}

function namedArrays({ logits, hidden_states, attentions, past_key_values }: Answer): Map<string, NdArray> {
  const arrays = new Map<string, NdArray>([["logits", logits]]);
  for (const [i, array] of (hidden_states ?? []).entries()) arrays.set(`hidden_states.${i}`, array);
  for (const [i, array] of (attentions ?? []).entries()) arrays.set(`attentions.${i}`, array);
  for (const [i, { keys, values }] of (past_key_values?.layers ?? []).entries())
    arrays.set(`keys.${i}`, keys).set(`values.${i}`, values);
  return arrays;
}
