import { writeFile } from "node:fs/promises";
import path from "node:path";
import {
  cachedFolder,
  extractTar,
  findChromiumPackage,
  readChromiumArchive,
} from "../engine/node/software/chromium_package.ts";

/**
 * Folder with the browser of the npm package `@sparticuz/chromium` (`chromium`, the system libraries it needs in
 * `lib/`, and SwiftShader, which must lie beside the binary), unpacked the first time.
 */
export async function unpackChromium(): Promise<string> {
  const packageDir = findChromiumPackage();
  if (packageDir === undefined) throw new Error("@sparticuz/chromium is not installed; run: npm ci");
  return await cachedFolder(packageDir, "chromium", async (folder) => {
    for (const archive of ["al2023.tar.br", "swiftshader.tar.br"])
      await extractTar(await readChromiumArchive(packageDir, archive), folder);
    await writeFile(path.join(folder, "chromium"), await readChromiumArchive(packageDir, "chromium.br"), {
      mode: 0o755,
    });
  });
}
