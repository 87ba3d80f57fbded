import { expect } from "chai";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { allKernels } from "../../kernels/index.ts";
import { labKernels } from "../../kernels/lab.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules") return [];
    if (statSync(join(root, path)).isDirectory()) return filesBelow(path, ending);
    return name.endsWith(ending) ? [path] : [];
  });
}

/** Files that a file imports by relative paths, types included. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  const named = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)];
  return named.map(([, target]) => join(dirname(path), target));
}

const files = filesBelow("kernels", ".ts");

describe("folders of kernels/", () => {
  it("import each other without a circle, types included", () => {
    const open: string[] = [];
    const closed = new Set<string>();
    const visit = (path: string): void => {
      expect(open, `circle: ${[...open, path].join(" > ")}`).not.include(path);
      if (closed.has(path)) return;
      open.push(path);
      for (const target of importsOf(path)) if (target.startsWith("kernels/")) visit(target);
      closed.add(open.pop()!);
    };
    for (const path of files) visit(path);
    expect(closed.size).equal(files.length);
  });

  it("let choose.ts know of versions and shapes alone", () => {
    const known = importsOf("kernels/choose.ts").filter((path) => path.startsWith("kernels/"));
    expect(known.filter((path) => !/\/(versions?|shape)\.ts$/.test(path))).deep.equal([]);
    expect(known).include("kernels/matmul/versions.ts");
  });

  it("keep the lab out of the library", () => {
    const library = ["engine", "kernels", "encodec", "bark", "convert"].flatMap((folder) => filesBelow(folder, ".ts"));
    const isLab = (path: string): boolean => path === "kernels/lab.ts" || /^kernels\/\w+\/lab\//.test(path);
    expect(files.filter(isLab)).not.deep.equal([]);
    for (const path of library.filter((path) => !isLab(path)))
      expect(importsOf(path).filter(isLab), path).deep.equal([]);
    for (const kernel of allKernels)
      for (const url of [kernel.source, ...(kernel.preludes ?? [])])
        expect(url.pathname, kernel.name).not.include("/lab/");
  });

  it("name a file as its kernel, or as the kernel whose text it shares", () => {
    for (const { name, source } of [...allKernels, ...labKernels]) {
      const file = source.pathname.split("/").at(-1)!.replace(".wgsl", "");
      expect(name.replace(".", "_").startsWith(file), `${name}: ${file}.wgsl`).equal(true);
    }
  });

  it("hold no shader that no kernel is made of", () => {
    const used = [...allKernels, ...labKernels].flatMap(({ source, preludes = [] }) => [source, ...preludes]);
    const paths = new Set(used.map((url) => relative(root, fileURLToPath(url))));
    expect([...paths].sort()).deep.equal(filesBelow("kernels", ".wgsl").sort());
  });

  it("name every shader by a literal address, which bundlers can follow", () => {
    for (const path of [...files, ...filesBelow("bench", ".ts"), ...filesBelow("engine", ".ts")]) {
      const text = readFileSync(join(root, path), "utf8");
      const addresses = [...text.matchAll(/new URL\(([^()]*), import\.meta\.url\)/g)].map(([, address]) => address);
      const shaders = text.split("\n").filter((line) => /"\.\.?\/[^"]*\.wgsl"/.test(line));
      for (const line of shaders) expect(line, path).match(/new URL\("[^"]+\.wgsl", import\.meta\.url\)/);
      if (path.startsWith("kernels/")) for (const address of addresses) expect(address, path).match(/^"\.[^"]+"$/);
    }
  });

  it("have a head of at most ten lines in every shader", () => {
    for (const path of filesBelow("kernels", ".wgsl")) {
      const lines = readFileSync(join(root, path), "utf8").split("\n");
      const head = lines.findIndex((line) => !line.startsWith("//"));
      expect(head, path).within(1, 10);
    }
  });
});
