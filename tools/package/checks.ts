import { expectedSpeech } from "./speech.ts";
import { pack, temporaryFolder } from "./project.ts";

/** What all checks share. */
export interface Package {
  /** Of everything that the checks make. */
  readonly folder: string;
  readonly tarballs: readonly string[];
  /** Samples that the checkout says, in millionths. */
  readonly expected: readonly number[];
}

export interface Check {
  readonly name: string;
  /** @returns why it did not run, where it did not. */
  readonly run: () => Promise<void | string>;
}

/** Packs what is in the checkout, and lets the checkout speak. */
export async function preparePackage(): Promise<Package> {
  const folder = await temporaryFolder();
  const tarballs = await pack(`${folder}/tarballs`);
  return { folder, tarballs, expected: await expectedSpeech() };
}
