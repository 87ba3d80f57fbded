import { secondsToHold } from "../../speech/stream/held_back.ts";

/** A part of a stream, as far as a player is concerned. */
interface Part {
  readonly audio: Float32Array;
  readonly sampling_rate: number;
  readonly real_time_factor: number;
}

/**
 * Holds sound back from a player while it is made more slowly than it is played, until the rest is made before the player has
 * played what there is. Else the player would run dry again and again.
 */
export class HeldBack {
  readonly #push: (samples: Float32Array) => void;
  #held: Float32Array[] = [];
  #seconds = 0;

  /** @param push gives samples to the player. */
  constructor(push: (samples: Float32Array) => void) {
    this.#push = push;
  }

  /** @param left seconds of sound that are still to come, about. */
  add({ audio, sampling_rate, real_time_factor }: Part, left: number): void {
    if (this.#seconds === Infinity) return this.#push(audio);
    this.#held.push(audio);
    this.#seconds += audio.length / sampling_rate;
    if (this.#seconds >= secondsToHold(real_time_factor, left)) this.release();
  }

  /** Nothing more comes, or it is not to be held. */
  release(): void {
    for (const audio of this.#held) this.#push(audio);
    [this.#held, this.#seconds] = [[], Infinity];
  }
}
