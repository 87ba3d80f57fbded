/** `describe` where npm's Chromium runs: it exists for this system alone, and elsewhere its specs are skipped. */
export const describeInChromium = process.platform === "linux" && process.arch === "x64" ? describe : describe.skip;
