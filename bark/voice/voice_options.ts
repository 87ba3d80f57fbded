import { noneOr, readBoolean, type ReadersOf } from "../../engine/check/arguments.ts";

/** What a voice given as text may be. */
export interface VoiceOptions {
  /**
   * The name of a preset and nothing else: no file is opened and nothing is fetched. For servers and pages where strangers
   * choose the voice. Default false.
   */
  names_only?: boolean;
  /** Also a URL, and in a page a path, which is an address there: it is fetched. Default false. */
  allow_urls?: boolean;
}

export const voiceReaders = {
  names_only: noneOr(readBoolean),
  allow_urls: noneOr(readBoolean),
} satisfies ReadersOf<VoiceOptions>;
