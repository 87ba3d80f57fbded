/** How often a text of a shader does something; a row that a text cannot tell is left out. */
export type Counts = Readonly<Partial<Record<Row, number>>>;

/** Rows of the table, in order, and what they count. */
export const rows = {
  loads: "loads from storage",
  stores: "stores to storage",
  shared_loads: "loads from workgroup memory",
  shared_stores: "stores to workgroup memory",
  memory_loads: "loads from memory",
  memory_stores: "stores to memory",
  stack: "of these, of the stack",
  by_lane: "values moved into or out of one lane",
  fma: "fused multiply-adds",
  multiply: "multiplications, float",
  add: "additions and subtractions, float",
  integer: "integer arithmetic",
  branches: "conditional branches",
  loops: "loops (machine code: jumps back)",
  barriers: "barriers",
  lanes: "operations across lanes",
  calls: "calls",
  instructions: "instructions in all",
  bytes: "bytes of code",
} as const;
export type Row = keyof typeof rows;

type Patterns = Readonly<Partial<Record<Row, RegExp>>>;

function count(lines: readonly string[], patterns: Patterns): Record<string, number> {
  return Object.fromEntries(
    Object.entries(patterns).map(([row, pattern]) => [row, lines.filter((line) => pattern.test(line)).length]),
  );
}

/** Tint's SPIR-V, disassembled. */
export function countSpirv(text: string): Counts {
  const lines = text.split("\n").filter((line) => /\bOp[A-Z]/.test(line));
  const body = lines.slice(lines.findIndex((line) => line.includes("OpFunction ")));
  // A pointer's class stands where it is made.
  const classes = new Map<string, string>();
  for (const line of lines) {
    const made = /^\s*(%\w+) = Op(?:AccessChain|InBoundsAccessChain|Variable) %_ptr_(\w+?)_/.exec(line);
    if (made !== null) classes.set(made[1], made[2]);
  }
  const through = (pattern: RegExp, space: string): number =>
    body.filter((line) => classes.get(pattern.exec(line)?.[1] ?? "") === space).length;
  const [load, store] = [/= OpLoad %\w+ (%\w+)/, /\bOpStore (%\w+)/];
  return {
    loads: through(load, "StorageBuffer"),
    stores: through(store, "StorageBuffer"),
    shared_loads: through(load, "Workgroup"),
    shared_stores: through(store, "Workgroup"),
    ...count(body, {
      fma: /OpExtInst .* Fma\b/,
      multiply: /Op(FMul|VectorTimesScalar|MatrixTimes\w+|Dot)\b/,
      add: /OpF(Add|Sub)\b/,
      integer: /Op(I(Add|Sub|Mul)|[US](Div|Mod|Rem)|Shift\w+|Bitwise\w+)\b/,
      branches: /Op(BranchConditional|Switch)\b/,
      loops: /OpLoopMerge\b/,
      barriers: /OpControlBarrier\b/,
      lanes: /OpGroupNonUniform/,
      calls: /OpFunctionCall\b/,
    }),
    instructions: body.length,
  };
}

/** Mesa's NIR, from which llvmpipe makes machine code: after loops were unrolled. */
export function countNir(text: string): Counts {
  const lines = text.slice(Math.max(0, text.indexOf("impl "))).split("\n");
  return {
    ...count(lines, {
      loads: /@load_ssbo\b/,
      stores: /@store_ssbo\b/,
      shared_loads: /@load_shared\b/,
      shared_stores: /@store_shared\b/,
      fma: /= ffmaz?\b/,
      multiply: /= f(mul|dot\d)\w*\b/,
      add: /= f(add|sub)\b/,
      integer: /= (i(add|sub|mul|div|shl|shr|and|or|xor)|u(div|mod|shr)|irem|imod)\b/,
      branches: /^\s*if /,
      loops: /^\s*loop \{/,
      barriers: /@(barrier|control_barrier)\b/,
      lanes:
        /@(shuffle|read_invocation|read_first_invocation|reduce|inclusive_scan|exclusive_scan|vote|ballot|elect|quad_|rotate)/,
    }),
    instructions: lines.filter((line) => /= |@store_|@barrier/.test(line) && !/load_const/.test(line)).length,
  };
}

/** Machine code of x86-64 as llvmpipe prints it, in AT&T syntax: the last operand is the target. */
export function countX86(text: string): Counts {
  const lines = text.split("\n").flatMap((line) => /^\s+([0-9a-f]+):\t(\w+)\s*(.*)$/.exec(line)?.slice(1, 4) ?? []);
  const all = Array.from({ length: lines.length / 3 }, (_, i) => {
    const [at, name, operands] = lines.slice(3 * i, 3 * i + 3);
    return { at: parseInt(at, 16), name, operands };
  }).filter(({ name }) => !/^nop|^int3$/.test(name));
  const memory = all.filter(({ name, operands }) => operands.includes("(") && !/^(lea|j|call|prefetch)/.test(name));
  const writes = ({ name, operands }: { name: string; operands: string }): boolean =>
    /\)(?:\s*\{.*\})?$/.test(operands) && !/^v?(cmp|test|ucomis|comis|push|div|idiv|mul|imul)/.test(name);
  const named = (pattern: RegExp): number => all.filter(({ name }) => pattern.test(name)).length;
  return {
    memory_loads: memory.filter((line) => !writes(line)).length,
    memory_stores: memory.filter(writes).length,
    stack: memory.filter(({ operands }) => /\(%r[sb]p/.test(operands)).length,
    by_lane: named(/^v?(pextr[bwdq]|pinsr[bwdq]|extractps|insertps)$/),
    fma: named(/^vfn?m(add|sub)/),
    multiply: named(/^v?mul[ps]s/),
    add: named(/^v?(add|sub)[ps]s/),
    integer: named(/^(vp)?(add|sub|imul|mull|sal|sar|shl|shr|sll|srl|sra|and|or|xor|idiv|div)[bwlqd]?$/),
    branches: named(/^j(?!mp)/),
    loops: backEdges(all),
    calls: named(/^call/),
    instructions: all.length,
    bytes: bytesOf(all),
  };
}

type Line = { readonly at: number; readonly name: string; readonly operands: string };

/** Jumps back. */
function backEdges(lines: readonly Line[]): number {
  return lines.filter(({ name, operands }) => name.startsWith("j") && /^-\d/.test(operands)).length;
}

/** Several functions follow each other, each from 0 on. */
function bytesOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { at }, i) => sum + (i + 1 === lines.length || lines[i + 1].at < at ? at + 1 : 0), 0);
}
