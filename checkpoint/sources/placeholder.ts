import { EngineError } from "../../engine/errors.ts";

/** Bytes of a file that {@link refusePlaceholder} needs. */
export const placeholderBytes = 256;

/** How an HTML page begins. */
export const htmlPage = /^\s*<(?:!doctype\s+html|html[\s>])/i;

const placeholders: readonly [begin: RegExp, problem: string, fix: string][] = [
  [
    /^version https:\/\/git-lfs/,
    "is a git-lfs pointer, not the file itself",
    "fetch it with `git lfs install && git lfs pull` in its repository, or download it from the hub",
  ],
  [
    htmlPage,
    "is an HTML page, not the file itself",
    "download the file anew: on the hub its address has /resolve/ in it, not /blob/",
  ],
];

/** @param head first bytes of a file. @throws EngineError `bad-input` if it only stands in for another file. */
export function refusePlaceholder(name: string, head: Uint8Array): void {
  const text = new TextDecoder().decode(head);
  for (const [begin, problem, fix] of placeholders)
    if (begin.test(text)) throw new EngineError("bad-input", problem, { where: name, fix });
}
