import { readFile } from "node:fs/promises";
import { parseCommandLine } from "../../cli/command_line.ts";
import { requireOutput } from "../../cli/files/output_file.ts";
import { EngineError } from "../../engine/errors.ts";
import { writeFileAtomically } from "../../checkpoint/node/atomic_file.ts";
import { resultsMarkdown, type Report } from "./markdown.ts";

/** `bark bench results FILE.json… [-o OUT.md]`. */
export async function benchResults(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench results", args, { output: { type: "string", short: "o" } });
  if (positionals.length === 0)
    throw new EngineError("usage", "no reports named", {
      where: "bench results",
      fix: "give files that --json printed",
    });
  const output = values.output === undefined ? undefined : await requireOutput("--output", values.output, [".md"]);
  const markdown = resultsMarkdown(await Promise.all(positionals.map(readReport)));
  if (output === undefined) process.stdout.write(markdown);
  else await writeFileAtomically(output.path, new TextEncoder().encode(markdown));
  return 0;
}

/** @throws EngineError `bad-input` for a file that no bench wrote. */
async function readReport(file: string): Promise<Report> {
  try {
    const report = JSON.parse(await readFile(file, "utf8")) as Report;
    if (["kernels", "generate", "peers", "encode"].includes(report.command)) return report;
  } catch (cause) {
    throw new EngineError("bad-input", "cannot be read as the report of a bench", { where: file, cause });
  }
  throw new EngineError("bad-input", "is not the report of a bench", { where: file, fix: "write it by --json" });
}
