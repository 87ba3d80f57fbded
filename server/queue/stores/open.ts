import { EngineError } from "../../../engine/errors.ts";
import { hashOf } from "../../../speech/book/hash.ts";
import { jsonBytes, type BookStore } from "../../../speech/book/store.ts";
import { FolderStore } from "./folder.ts";
import { S3Store } from "./s3.ts";

/** Says which store this is, whatever each machine calls it. */
const markFile = "farm.json";

/** A store that the machines of a farm share. */
export interface FarmStore {
  readonly files: BookStore;
  /** The same on every machine that has this store, and on none that has another. */
  readonly id: string;
}

/**
 * Opens what `--store` names, and tries whether it can be written.
 * @param address a folder, or `s3://BUCKET/PREFIX`.
 * @throws EngineError `usage` for an address, `io` if nothing can be written there.
 */
export async function openStore(address: string): Promise<FarmStore> {
  const other = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address)?.[1];
  if (other !== undefined && other !== "s3")
    throw new EngineError("usage", "no such kind of store", { where: address, expected: "a folder or s3://BUCKET" });
  const files = other === "s3" ? await S3Store.open(address) : new FolderStore(address);
  // Before hours of work: who may write a file here may write them all.
  const probe = `.probe-${crypto.randomUUID()}`;
  await files.write(probe, new TextEncoder().encode("bark"));
  await files.remove(probe);
  return { files, id: await idOf(files) };
}

async function idOf(files: BookStore): Promise<string> {
  await files.create(markFile, jsonBytes({ store: crypto.randomUUID() }));
  const mark = await files.read(markFile);
  return (await hashOf(new TextDecoder().decode(mark))).slice(0, 16);
}
