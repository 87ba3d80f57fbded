/** Files that a person dropped, and where they lie in their folder. */
export interface Dropped {
  /** Name of the folder, if one was dropped. */
  readonly folder: string;
  readonly files: Readonly<Record<string, File>>;
}

/** The path within the folder that a person chose: what others call `folder/config.json` is `config.json`. */
export function pathOf(path: string, isInFolder: boolean): string {
  return isInFolder ? path.slice(path.indexOf("/") + 1) : path;
}

/** All files of a drop, those in folders among them. */
export async function droppedFiles({ items }: DataTransfer): Promise<Dropped> {
  // Asked for before the first wait: the browser forgets them after the event.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const files: Record<string, File> = {};
  for (const entry of entries) await collect(entry, "", files);
  const alone = entries.length === 1 && entries[0].isDirectory ? entries[0].name : "";
  if (alone === "") return { folder: "", files };
  return {
    folder: alone,
    files: Object.fromEntries(Object.entries(files).map(([path, file]) => [pathOf(path, true), file])),
  };
}

async function collect(entry: FileSystemEntry, above: string, files: Record<string, File>): Promise<void> {
  const path = `${above}${entry.name}`;
  if (entry.isFile) {
    files[path] = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // It gives 100 at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const each of some) await collect(each, `${path}/`, files);
  }
}
