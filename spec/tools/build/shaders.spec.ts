import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import { ShaderPack, stripped } from "../../../tools/build/shaders.ts";

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
});
