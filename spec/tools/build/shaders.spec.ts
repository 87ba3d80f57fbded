import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import { packOf, partOf, ShaderPack, stripped } from "../../../tools/build/shaders.ts";

/** WGSL's tokens; two texts with the same tokens are the same program. */
const token = /[A-Za-z_]\w*|0x\w+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iufh]?|[-+&|<>=!*/%^]+|\S/g;
const tokens = (text: string): string[] => text.replaceAll(/\/\/.*$/gm, "").match(token) ?? [];

describe("shaders of the bundles for pages", () => {
  for (const folder of ["engine/formats", "kernels"])
    it(`are those of ${folder}, token by token`, () => {
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".wgsl"));
      expect(files).not.empty;
      for (const file of files) {
        const text = readFileSync(`${folder}/${file}`, "utf8");
        expect(tokens(stripped(text)), file).deep.equal(tokens(text));
        expect(stripped(text), file).not.match(/\/\/|^ |\n\n/m);
      }
    });

  it("keep the spaces that tell operators apart", () => {
    expect(stripped("let x = a - -b; // why\n\n  let y = c < d ;")).equal("let x=a - -b;\nlet y=c < d;");
    for (const text of ["a = -b", "a + +b", "a / *b", "array<f32> = c", "a + *b", "a == -b"])
      expect(tokens(stripped(text)), text).deep.equal(tokens(text));
    expect(stripped("a = b * c + (d) * e[1] + 2"), "spaces that tell nothing").equal("a=b*c+(d)*e[1]+2");
  });

  it("have addresses that no bundler follows", () => {
    const pack = new ShaderPack("/p");
    const source =
      'const a = new URL("./a.wgsl", import.meta.url);\nconst b = new URL(\n"../b/b.wgsl",\nimport.meta.url,\n);';
    expect(pack.repack(source, "/p/kernels/a/a.ts")).equal(
      'const a = new URL("shader:kernels/a/a.wgsl");\nconst b = new URL("shader:kernels/b/b.wgsl");',
    );
  });

  it("are each in one part, and one that comes later is found by its address", () => {
    const files = readdirSync("kernels", { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".wgsl"),
    );
    const texts = Object.fromEntries(files.map((name) => [`shader:kernels/${name}`, name]));
    const loads = [...packOf(texts).matchAll(/\[\/(.+?)\/, \(\) => import\("packed:(\w+)"\)\]/g)].map(
      ([, pattern, name]) => [new RegExp(pattern), name] as const,
    );
    expect(loads.map(([, name]) => name)).deep.equal(["gpu", "software", "rare"]);
    for (const address of Object.keys(texts)) {
      const found = loads.find(([pattern]) => pattern.test(address))?.[1];
      expect(partOf(texts, found), address).property(address);
    }
    const parts = [undefined, "gpu", "software", "rare"].map((name) => Object.keys(partOf(texts, name)));
    expect(parts.flat().sort()).deep.equal(Object.keys(texts).sort());
    for (const part of parts) expect(part).not.empty;
  });
});
