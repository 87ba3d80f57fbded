/** What the player sends to its AudioWorklet. */
export type PlayerRequest =
  /** More to play. Blocks of an earlier epoch are left out. */
  | { kind: "samples"; epoch: number; samples: Float32Array }
  /** Forgets what is queued, and begins a new epoch. @param step samples of the sound for one of the context. */
  | { kind: "clear"; epoch: number; step: number }
  /** Plays, or is silent and keeps what is queued. */
  | { kind: "run"; runs: boolean };

/** What the AudioWorklet tells, ten times a second and when it runs dry. */
export interface PlayerReport {
  readonly epoch: number;
  /** Samples of the sound that were played in this epoch. */
  readonly played: number;
  /** The context's time then, in seconds. */
  readonly time: number;
  /** Nothing is left to play. */
  readonly isDry: boolean;
}
