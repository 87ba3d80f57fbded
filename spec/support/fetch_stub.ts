/** A request as `fetch` was asked for it. */
export interface AskedFetch {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: string;
  readonly signal: AbortSignal;
}

/** An answer, a failure, or what makes one of the request. */
export type FetchAnswer = Response | Error | ((asked: AskedFetch) => Promise<Response>);

/** Stands for `fetch` in each test of a `describe`: it gives the answers in their order, and notes what was asked. */
export class FetchStub {
  asked: AskedFetch[] = [];
  answers: FetchAnswer[] = [];

  constructor() {
    const { fetch } = globalThis;
    beforeEach(() => {
      this.asked = [];
      this.answers = [];
      globalThis.fetch = (async (url: URL, init: Omit<AskedFetch, "url">) =>
        await this.#answer({ ...init, url: url.href })) as typeof fetch;
    });
    afterEach(() => {
      globalThis.fetch = fetch;
    });
  }

  async #answer(asked: AskedFetch): Promise<Response> {
    this.asked.push(asked);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error(`no answer is left for ${asked.url}`);
    if (answer instanceof Error) throw answer;
    return answer instanceof Response ? answer : await answer(asked);
  }
}

/** Never answers; fails as `fetch` does when it is told to stop. */
export async function hang({ signal }: AskedFetch): Promise<Response> {
  return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

/** As Node's `fetch` fails: why stands in the cause. */
export function fetchFailed(code: string | undefined, message = ""): TypeError {
  return new TypeError("fetch failed", {
    cause: Object.assign(new Error(message), code === undefined ? {} : { code }),
  });
}

interface Timer {
  readonly milliseconds: number | undefined;
  readonly run: () => void;
  isCleared: boolean;
}

/** Stands for `setTimeout` in each test of a `describe`: nobody waits, a timer runs when the test says so. */
export class TimerStub {
  timers: Timer[] = [];

  constructor() {
    const { setTimeout, clearTimeout } = globalThis;
    beforeEach(() => {
      this.timers = [];
      globalThis.setTimeout = ((run: () => void, milliseconds?: number) => {
        this.timers.push({ milliseconds, run, isCleared: false });
        return this.timers.length as never;
      }) as unknown as typeof setTimeout;
      globalThis.clearTimeout = ((id: number | undefined) => {
        if (id !== undefined) this.timers[id - 1].isCleared = true;
      }) as typeof clearTimeout;
    });
    afterEach(() => {
      globalThis.setTimeout = setTimeout;
      globalThis.clearTimeout = clearTimeout;
    });
  }

  /** Those that wait, by their milliseconds. */
  get waiting(): (number | undefined)[] {
    return this.timers.filter(({ isCleared }) => !isCleared).map(({ milliseconds }) => milliseconds);
  }
}
