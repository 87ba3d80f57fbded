import { readFile } from "node:fs/promises";
import { parseCommandLine } from "../../cli/command_line.ts";
import { requireOutput } from "../../cli/files/output_file.ts";
import { EngineError } from "../../engine/errors.ts";
import { writeFileAtomically } from "../../checkpoint/node/atomic_file.ts";
import { withSections } from "./ladders.ts";
import { resultsMarkdown, type Report } from "./markdown.ts";

/** `bark bench results FILE.json… [-o OUT.md | --into RESULTS.md]`. */
export async function benchResults(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench results", args, {
    output: { type: "string", short: "o" },
    into: { type: "string" },
  });
  if (positionals.length === 0)
    throw new EngineError("usage", "no reports named", {
      where: "bench results",
      fix: "give files that --json printed",
    });
  if (values.output !== undefined && values.into !== undefined)
    throw new EngineError("usage", "two places for one text", {
      where: "--output, --into",
      fix: "leave out one of them",
    });
  const into = values.into === undefined ? undefined : await readText(values.into);
  const output = values.output === undefined ? undefined : await requireOutput("--output", values.output, [".md"]);
  const markdown = resultsMarkdown(await Promise.all(positionals.map(readReport)));
  if (values.into !== undefined && into !== undefined)
    await writeFileAtomically(values.into, new TextEncoder().encode(withSections(into, markdown)));
  else if (output === undefined) process.stdout.write(markdown);
  else await writeFileAtomically(output.path, new TextEncoder().encode(markdown));
  return 0;
}

/** @throws EngineError `bad-input` for a file that cannot be read. */
async function readText(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new EngineError("bad-input", "cannot be read", { where: `--into ${file}`, cause });
  });
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
