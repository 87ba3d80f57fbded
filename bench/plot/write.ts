import path from "node:path";
import { writeFileAtomically } from "../../engine/node/atomic_file.ts";
import { EngineError } from "../../engine/errors.ts";

/** @throws EngineError `usage` for a name that does not end in `.svg`, before hours of measuring. */
export function checkPlotName(file: string | undefined): void {
  if (file !== undefined && path.extname(file) !== ".svg")
    throw new EngineError("usage", "plots are written as SVG", { where: `--plot ${file}`, fix: "name it FILE.svg" });
}

export async function writePlot(file: string | undefined, svg: () => string): Promise<void> {
  if (file !== undefined) await writeFileAtomically(file, new TextEncoder().encode(svg()));
}
