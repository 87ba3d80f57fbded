/** All English text of the element, and of what stands in the way of speech. */
export const text = {
  speak: "Speak",
  pause: "Pause",
  resume: "Go on",
  stop: "Stop",
  download: "Download WAV",
  group: "Speech",
  position: "Position",
  positionOf: (position: number, duration: number) => `${position.toFixed(0)} of ${duration.toFixed(0)} seconds`,
  progress: "Progress",
  loading: (share: number) => (share > 0 ? `Loading the model: ${Math.floor(100 * share)} %` : "Loading the model"),
  loaded: (adapter: string, isSoftware: boolean) =>
    isSoftware
      ? `Speaking on ${adapter}, which computes on the processor: slower than speech`
      : `Speaking on ${adapter}`,
  working: (piece: number, pieces: number) => `Speaking part ${piece + 1} of ${Math.max(pieces, piece + 1)}`,
  waiting: "Waiting for sound",
  stopped: "Stopped",
  done: (seconds: number) => `${seconds.toFixed(1)} seconds of speech`,
  nothing: "There is no text to speak",
  autoplay: "autoplay is ignored: browsers forbid sound before a click",

  // What stands in the way, one text for each.
  insecure: (origin: string) =>
    `Speech needs a secure page: open this one by https://, or as http://localhost (it came from ${origin}).`,
  noWebGpu:
    "This browser has no WebGPU, on which speech is computed. Chrome and Edge 127, Safari 26, and Firefox 141 (on Windows; " +
    "145 on macOS) or later have it.",
  noAdapter:
    "This browser has WebGPU, but no graphics adapter for it: switch on hardware acceleration in its settings, update the " +
    "graphics driver, or try another browser. In a virtual machine there may be none.",
  adapterTooSmall: (why: string) => `The graphics adapter is too small for this model: ${why}`,
};
