import { readFileSync } from "node:fs";

/** A fenced block of a Markdown file. */
export interface Block {
  readonly file: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
  /** The first word after the fence. */
  readonly language: string;
  /** The reason after `not-run:`. */
  readonly notRun: string | undefined;
  readonly text: string;
}

/** The fenced blocks of a Markdown file in order; `file` is relative to `root`. */
export function blocksOf(root: string, file: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(`${root}/${file}`, "utf8").split("\n");
  for (let i = 0; i < lines.length; i++) {
    const info = /^```(.*)$/.exec(lines[i])?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf("```", i + 1);
    if (end < 0) throw new Error(`${file}:${i + 1}: a block without an end`);
    const [, language, notRun] = /^(\S*)(?: not-run: *(.*))?/.exec(info)!;
    blocks.push({ file, line: i + 2, language, notRun, text: lines.slice(i + 1, end).join("\n") });
    i = end;
  }
  return blocks;
}

export const nameOf = ({ file, line, text }: Block): string => `${file}:${line} ${text.split("\n")[0]}`;
