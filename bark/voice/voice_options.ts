import { noneOr, readBoolean, type ReadersOf } from "../../engine/check/arguments.ts";

/** What a voice given as a string may be. */
export interface VoiceOptions {
  /**
   * The name of a preset and nothing else: no file is opened and nothing is fetched. For servers and pages where strangers
   * choose the voice. Default false.
   */
  names_only?: boolean;
  /** Also fetch a voice from a URL (in a page, a path is an address, too). Default false. */
  allow_urls?: boolean;
}

export const voiceReaders = {
  names_only: noneOr(readBoolean),
  allow_urls: noneOr(readBoolean),
} satisfies ReadersOf<VoiceOptions>;
