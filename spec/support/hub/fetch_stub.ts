/** A request that `fetch` received. */
export interface AskedFetch {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: string;
  readonly signal: AbortSignal;
}

/** An answer, a failure, or what makes one of the request. */
export type FetchAnswer = Response | Error | ((asked: AskedFetch) => Promise<Response>);

/** Replaces `fetch` in each test of a `describe`: gives the answers in order, and notes the requests. */
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

/** Never answers; fails as `fetch` does at an abort. */
export async function hang({ signal }: AskedFetch): Promise<Response> {
  return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

/** As Node's `fetch` fails: the reason is in the cause. */
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

/** Replaces `setTimeout` in each test of a `describe`: nobody waits, and the test runs the timers. */
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
