import { requireOutput, type OutputFile } from "../../cli/files/output_file.ts";
import { writeFileAtomically } from "../../checkpoint/node/atomic_file.ts";

/** @throws EngineError `usage` for a name that cannot be written or does not end in `.svg`, before hours of measuring. */
export async function requirePlot(file: string | undefined): Promise<OutputFile | undefined> {
  return file === undefined ? undefined : await requireOutput("--plot", file, [".svg"]);
}

export async function writePlot(file: OutputFile | undefined, svg: () => string): Promise<void> {
  if (file !== undefined) await writeFileAtomically(file.path, new TextEncoder().encode(svg()));
}
