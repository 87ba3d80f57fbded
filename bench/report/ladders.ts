/** A table of kernels in bench/RESULTS.md. */
export interface Ladder {
  /** Weights, adapter and runtime. */
  readonly title: string;
  readonly command: string;
  /** Machine and roofline. */
  readonly conditions: string;
  readonly heads: readonly string[];
  /** Cells by the heads of their columns. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** The tables of kernels in the text of RESULTS.md. */
export function laddersIn(markdown: string): Ladder[] {
  return sectionsOf(markdown).flatMap((section) => {
    const title = /^## Kernels, (.*)$/m.exec(section)?.[1];
    if (title === undefined) return [];
    const [heads, , ...rows] = section.split("\n").flatMap((line) => (line.startsWith("| ") ? [cellsOf(line)] : []));
    const conditions = /^```\n\n(.+)$/m.exec(section)?.[1] ?? "";
    return [
      {
        title,
        command: commandIn(section),
        conditions,
        heads,
        rows: rows.map((cells) => Object.fromEntries(cells.map((cell, i) => [heads[i], cell]))),
      },
    ];
  });
}

/** The sections of second level, each with its heading. */
function sectionsOf(markdown: string): string[] {
  return markdown.split(/^(?=## )/m).slice(1);
}

function commandIn(section: string): string {
  return /^```sh\n(.*)$/m.exec(section)?.[1] ?? "";
}

function cellsOf(line: string): string[] {
  return line
    .slice(2, line.lastIndexOf("|"))
    .split(" | ")
    .map((cell) => cell.trim());
}

/** `markdown` with the sections of `added` in it: in the place of those with their heading and command, else at the end. */
export function withSections(markdown: string, added: string): string {
  const keyOf = (section: string): string => `${section.split("\n", 1)[0]}\n${commandIn(section)}`;
  const sections = new Map(sectionsOf(`${markdown.trimEnd()}\n\n`).map((section) => [keyOf(section), section]));
  for (const section of sectionsOf(`${added.trimEnd()}\n\n`)) sections.set(keyOf(section), section);
  const [preface] = added.split(/^(?=## )/m);
  return `${[preface, ...sections.values()].join("").trimEnd()}\n`;
}
