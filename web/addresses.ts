/** Where the files are that a page runs beside its own code. The build writes the names that they have in the package. */

/** The worker. */
export const workerUrl = new URL("./worker.ts", import.meta.url);

/** The AudioWorklet of the player. Undefined in the build for bundlers, which leave such files behind. */
export const workletUrl: URL | undefined = new URL("./player/player_worklet.ts", import.meta.url);
