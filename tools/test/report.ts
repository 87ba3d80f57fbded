/** The result of a part of `npm test`: a static check, or the specs in one runtime. */
export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

/** An event of mocha's `json-stream` reporter, which the browser page sends too. */
export type MochaEvent =
  | ["start", { total: number }]
  | ["pass", { fullTitle: string; duration?: number }]
  | ["fail", { fullTitle: string; err: string; stack?: string | null }]
  | ["end", { passes: number; failures: number; pending: number; tests: number }];

/** Adds up one mocha run and prints its failures as they come. */
export class MochaRun {
  readonly outcome: Outcome = { passed: 0, failed: 0, skipped: 0 };
  readonly #runtime: string;
  readonly #times: { title: string; seconds: number }[] = [];
  #ended = false;

  constructor(runtime: string) {
    this.#runtime = runtime;
  }

  add(event: MochaEvent): void {
    if (event[0] === "pass") {
      this.outcome.passed++;
      this.#times.push({ title: event[1].fullTitle, seconds: (event[1].duration ?? 0) / 1000 });
    }
    if (event[0] === "fail") this.fail(event[1].fullTitle, event[1].stack ?? event[1].err);
    if (event[0] === "end") {
      this.#ended = true;
      this.outcome.skipped += event[1].pending;
    }
  }

  fail(title: string, message: string): void {
    this.outcome.failed++;
    printFailure(this.#runtime, title, message);
  }

  /** Call when the runtime has gone; a run that broke off or in which no test ran is a failure. */
  finish(exit: string): Outcome {
    if (!this.#ended) this.fail("(the run)", `ended before its last test: ${exit}`);
    else if (this.outcome.passed + this.outcome.failed === 0) this.fail("(the run)", "no test ran");
    this.#printSlowest();
    return this.outcome;
  }

  /** Where the time of a run goes: what makes it too long is looked for here first. */
  #printSlowest(): void {
    const slowest = this.#times.sort((a, b) => b.seconds - a.seconds).slice(0, Number(process.env.SLOW ?? 10));
    const total = this.#times.reduce((sum, { seconds }) => sum + seconds, 0);
    console.log(`${this.#runtime}: ${total.toFixed(0)} s in tests, the slowest:`);
    for (const { title, seconds } of slowest) console.log(`  ${seconds.toFixed(1)} s ${title}`);
  }
}

/** The event that a line of output holds, if it holds one; tests print other lines. */
export function parseEvent(line: string): MochaEvent | undefined {
  if (!/^\["(start|pass|fail|end)",\{/.test(line)) return undefined;
  return JSON.parse(line) as MochaEvent;
}

export function printFailure(part: string, title: string, message: string): void {
  const lines = message.trim().split("\n").slice(0, 60);
  console.log(`FAILED ${part}: ${title}\n${lines.map((line) => `    ${line}`).join("\n")}`);
}

export function addOutcomes(outcomes: Outcome[]): Outcome {
  const sum = (key: keyof Outcome) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

export function countLine({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
