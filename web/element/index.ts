/** `bark-webgpu/element`: defines `<bark-speech>`. */
import { BarkSpeech } from "./bark_speech.ts";

export { Player, type PlayerOptions, type PlayerState, type Supply } from "../player/player.ts";
export { BarkSpeech };
export type { BarkSpeechEvents } from "./bark_speech.ts";

declare global {
  interface HTMLElementTagNameMap {
    "bark-speech": BarkSpeech;
  }
}

// A server imports it, too; and a page may hold it twice.
if (typeof customElements !== "undefined" && customElements.get("bark-speech") === undefined)
  customElements.define("bark-speech", BarkSpeech);
