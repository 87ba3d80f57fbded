import { ApiError } from "./http/errors.ts";

export interface AdmissionLimits {
  /** Most requests that wait or are spoken. */
  readonly queue_size: number;
  /** Seconds that a request may wait for its first sound. */
  readonly max_wait: number;
}

/** A request that has a place. */
export interface Ticket {
  /** A piece of it is spoken. */
  spoken(letters: number): void;
  /** Gives the place up. Later calls do nothing. */
  end(): void;
}

/** The last places are for clients who have none: one client may fill the queue, and not keep all others out. */
const reservedShare = 8;
/** Seconds for a letter before anything was spoken: about real time. */
const firstGuess = 1 / 15;
/** How much older pieces count for each newer one. */
const decay = 0.9;
/** Clients hold a request so long by themselves; OpenAI's wait no longer before they try again. */
const mostPatience = 60;

/** Who may wait: so many requests, and none longer than it is worth waiting. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clients = new Map<string, number>();
  #requests = 0;
  /** Those of them that are spoken on this machine. */
  #here = 0;
  /** Letters that are not spoken yet, of all requests. */
  #letters = 0;
  /** Of the last pieces, newer ones counting more. */
  #spoken = { letters: 1, seconds: firstGuess };
  #lastAt = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Requests that wait or are spoken. */
  get requests(): number {
    return this.#requests;
  }

  /** Seconds until what waits now is spoken: an estimate, from the pace of the last pieces. */
  get seconds(): number {
    return this.#letters * this.#pace;
  }

  get #pace(): number {
    return this.#spoken.seconds / this.#spoken.letters;
  }

  /**
   * @param isElsewhere whether others speak it: then it takes a place, and waits for nobody here.
   * @throws ApiError 429 if there is no place for another request of this client, or it would wait for too long.
   */
  check(client: string, isElsewhere = false): void {
    const { queue_size, max_wait } = this.#limits;
    const reserved = (this.#clients.get(client) ?? 0) > 0 ? Math.floor(queue_size / reservedShare) : 0;
    if (this.#requests >= queue_size - reserved)
      throw busy("Too many requests are waiting.", this.seconds / Math.max(1, this.#requests));
    if (!isElsewhere && this.seconds > max_wait) throw busy("What waits would take too long.", this.seconds - max_wait);
  }

  /** @throws ApiError as {@link check}. */
  admit(client: string, ofText: number, isElsewhere = false): Ticket {
    this.check(client, isElsewhere);
    const letters = isElsewhere ? 0 : ofText;
    if (!isElsewhere && this.#here++ === 0) this.#lastAt = performance.now();
    this.#requests++;
    this.#letters += letters;
    this.#clients.set(client, (this.#clients.get(client) ?? 0) + 1);
    let left = letters;
    let isOver = false;
    return {
      spoken: (count) => {
        const some = Math.min(left, count);
        left -= some;
        this.#letters -= some;
        if (!isElsewhere) this.#measure(count);
      },
      end: () => {
        if (isOver) return;
        isOver = true;
        this.#requests--;
        if (!isElsewhere) this.#here--;
        this.#letters = this.#here === 0 ? 0 : this.#letters - left;
        const others = this.#clients.get(client)! - 1;
        if (others === 0) this.#clients.delete(client);
        else this.#clients.set(client, others);
      },
    };
  }

  /** The answer to a request that waited in vain. */
  waitedTooLong(): ApiError {
    return busy("The request waited for too long.", this.seconds);
  }

  /** Letters of all clients in the time since the last ones: of pieces that were spoken at once, the later take none. */
  #measure(letters: number): void {
    const now = performance.now();
    const { letters: before, seconds } = this.#spoken;
    this.#spoken = { letters: decay * before + letters, seconds: decay * seconds + (now - this.#lastAt) / 1000 };
    this.#lastAt = now;
  }
}

/** 429 with the time to wait, in whole seconds. */
function busy(message: string, seconds: number): ApiError {
  const wait = Math.max(1, Math.ceil(seconds));
  const isLong = wait > mostPatience;
  return new ApiError(429, `${message} Try again in ${wait} s.`, {
    code: "queue_full",
    headers: { "Retry-After": String(wait), ...(isLong ? { "x-should-retry": "false" } : {}) },
  });
}
