import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../stores/file_store.ts";
import { MergedReader, type TensorPlace } from "../merged_reader.ts";
import { TorchFile } from "../torch/torch_file.ts";
import { codecName, gptName } from "./names.ts";

/** The models of a Bark by their names in transformers, and suno's names for their files. */
const stages = { semantic: "text", coarse_acoustics: "coarse", fine_acoustics: "fine" } as const;
export type SunoStage = keyof typeof stages;

const publishedCodec = "encodec_24khz-d7cc33bc.th";

/**
 * Files of suno's own Bark: `text_2.pt`, `coarse_2.pt`, `fine_2.pt` (the large models; each before its small one
 * `text.pt`, `coarse.pt`, `fine.pt`) and Meta's `encodec_24khz-*.th`.
 */
export class SunoCheckpoint {
  readonly gpts: Readonly<Record<SunoStage, TorchFile>>;
  readonly codec: TorchFile;
  readonly #name: string;

  private constructor(name: string, gpts: Readonly<Record<SunoStage, TorchFile>>, codec: TorchFile) {
    this.#name = name;
    this.gpts = gpts;
    this.codec = codec;
  }

  /** Undefined if the store has no `text_2.pt` or `text.pt`. @throws EngineError `bad-input` if the others are missing. */
  static async open(store: FileStore): Promise<SunoCheckpoint | undefined> {
    const opened: TorchFile[] = [];
    const keep = async (source: ByteSource): Promise<TorchFile> => {
      const file = await TorchFile.open(source);
      opened.push(file);
      return file;
    };
    const text = await openStage(store, "text");
    if (text === undefined) return undefined;
    try {
      const gpts = {
        semantic: await keep(text),
        coarse_acoustics: await keep((await openStage(store, "coarse")) ?? missing(store, "coarse_2.pt or coarse.pt")),
        fine_acoustics: await keep((await openStage(store, "fine")) ?? missing(store, "fine_2.pt or fine.pt")),
      };
      return new SunoCheckpoint(store.name, gpts, await keep(await openCodec(store)));
    } catch (error) {
      for (const file of opened) await file.close();
      throw error;
    }
  }

  /** All tensors under their names in transformers. Closing it closes the files. */
  reader(): MergedReader {
    const places = new Map<string, TensorPlace>();
    for (const stage of Object.keys(stages) as SunoStage[]) {
      const reader = this.gpts[stage];
      for (const name of reader.names()) places.set(`${stage}.${gptName(name)}`, { reader, name });
    }
    for (const name of this.codec.names()) places.set(`codec_model.${codecName(name)}`, { reader: this.codec, name });
    return new MergedReader(this.#name, this.#files(), places);
  }

  async close(): Promise<void> {
    for (const file of this.#files()) await file.close();
  }

  #files(): TorchFile[] {
    return [...Object.values(this.gpts), this.codec];
  }
}

async function openStage(store: FileStore, name: string): Promise<ByteSource | undefined> {
  return (await store.open(`${name}_2.pt`)) ?? (await store.open(`${name}.pt`));
}

async function openCodec(store: FileStore): Promise<ByteSource> {
  const published = await store.open(publishedCodec);
  if (published !== undefined) return published;
  const other = [...((await store.list?.()) ?? [])].sort().find((name) => /^encodec_24khz.*\.th$/.test(name));
  return (other === undefined ? undefined : await store.open(other)) ?? missing(store, publishedCodec);
}

function missing(store: FileStore, what: string): never {
  throw new EngineError("bad-input", `suno's checkpoint lacks ${what}`, {
    where: store.name,
    fix: "put it into the same folder: Bark's come from suno/bark on the hub, EnCodec's from dl.fbaipublicfiles.com/encodec/v0",
  });
}
