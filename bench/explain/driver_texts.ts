import { countNir, countSpirv, countX86, type Counts } from "./count.ts";
import { marker } from "./job.ts";

/** One form of a kernel on its way to the machine. */
export interface Stage {
  readonly name: "SPIR-V" | "NIR" | "x86-64";
  readonly counts: Counts;
  readonly text: string;
}

export interface ExplainedKernel {
  readonly kernel: string;
  readonly stages: readonly Stage[];
}

/** What Dawn (on standard output) and Mesa (on standard error) printed, by kernel. */
export function readDriverTexts(output: string, errors: string): ExplainedKernel[] {
  const printed = byKernel(output);
  const driver = byKernel(errors);
  return [...printed.keys()].map((kernel) => {
    const spirv = /\/\* Dumped SPIRV disassembly \*\/\n([^]*?)(?=\ninfo:|$)/.exec(printed.get(kernel) ?? "")?.[1];
    const texts = driver.get(kernel) ?? "";
    const nir = /^shader: MESA_SHADER_COMPUTE\n[^]*?\n}\n/m.exec(texts)?.[0];
    // `cs_co_variant` is an invocation up to its first barrier, `.resume` what follows; `cs_variant` only calls them.
    const code = [...texts.matchAll(/^cs_co_variant(?:\.resume)?:\n(?:\s+[0-9a-f]+:.*\n)+/gm)].map(([part]) => part);
    return {
      kernel,
      stages: [
        ...(spirv === undefined ? [] : [{ name: "SPIR-V" as const, counts: countSpirv(spirv), text: spirv }]),
        ...(nir === undefined ? [] : [{ name: "NIR" as const, counts: countNir(nir), text: nir }]),
        ...(code.length === 0
          ? []
          : [{ name: "x86-64" as const, counts: countX86(code.join("\n")), text: code.join("\n") }]),
      ],
    };
  });
}

/** The text between the markers of each kernel. */
function byKernel(text: string): Map<string, string> {
  const parts = text.split(`\n${marker}`).slice(1);
  return new Map(
    parts.flatMap((part) => {
      const end = part.indexOf("\n");
      return end <= 0 ? [] : [[part.slice(0, end), part.slice(end + 1)] as const];
    }),
  );
}
