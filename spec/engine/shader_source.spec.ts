import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { defineKernel, optionalRead, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import "../../engine/node/index.ts";
import { checkDeclaration, loadShader, ShaderSource, usesWeights } from "../../engine/shaders/shader_source.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { scaleKernel } from "../support/scale_kernel.ts";

describe("ShaderSource", () => {
  const source = new ShaderSource([
    { file: "a/prelude.wgsl", text: "one\ntwo\n" },
    { file: "a/main.wgsl", text: "three\n\nfive\n" },
  ]);

  it("joins its files", () => {
    expect(source.text).to.equal("one\ntwo\nthree\n\nfive\n");
  });

  it("finds the file and the line in it of a line of the whole", () => {
    const places = [1, 2, 3, 4, 5].map((line) => source.locate(line));
    expect(places).to.deep.equal([
      { file: "a/prelude.wgsl", line: 1, source: "one" },
      { file: "a/prelude.wgsl", line: 2, source: "two" },
      { file: "a/main.wgsl", line: 1, source: "three" },
      { file: "a/main.wgsl", line: 2, source: "" },
      { file: "a/main.wgsl", line: 3, source: "five" },
    ]);
  });

  it("places a line behind the end in the last file", () => {
    expect(source.locate(6)).to.deep.equal({ file: "a/main.wgsl", line: 6, source: "" });
  });
});

describe("loadShader", () => {
  const main = `struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> x: array<Weight4>;
@group(0) @binding(1) var<uniform> params: Params;
`;
  let folder: string;
  let kernel: AnyKernel;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-shader-"));
    const write = (name: string, text: string): URL => {
      writeFileSync(path.join(folder, name), text);
      return pathToFileURL(path.join(folder, name));
    };
    kernel = defineKernel({
      name: "spec.loaded",
      source: write("main.wgsl", main),
      preludes: [write("one.wgsl", "const one = 1;"), write("two.wgsl", "const two = 2;\n")],
      bindings: { x: read("weight") },
      params: { count: "u32" },
      workgroups: () => [1],
    });
  });
  after(() => rmSync(folder, { recursive: true }));

  it("joins the weight format, the preludes and the kernel, each ending with a newline", async () => {
    for (const format of ["f32", "f16"] as const) {
      const prelude = readFileSync(new URL(`../../engine/formats/${format}.wgsl`, import.meta.url), "utf8");
      const source = await loadShader(kernel, format);
      expect(source.text).to.equal(`${prelude}const one = 1;\nconst two = 2;\n${main}`);
      expect(source.locate(1).file).to.equal(`formats/${format}.wgsl`);
      expect(source.locate(prelude.split("\n").length).file).to.equal(`${path.basename(folder)}/one.wgsl`);
    }
  });

  it("reads a file again that could not be read: a page must not stay mute after one lost request", async () => {
    const source = pathToFileURL(path.join(folder, "late.wgsl"));
    const late: AnyKernel = { ...kernel, name: "spec.late", source };
    expect(await loadShader(late, "f32").catch((error: Error) => error.message)).to.match(/ENOENT/);
    writeFileSync(source, main);
    expect((await loadShader(late, "f32")).text).to.include(main);
  });

  it("leaves the weight format out where there are no weights", async () => {
    expect([usesWeights(kernel), usesWeights(scaleKernel)]).to.deep.equal([true, false]);
    expect((await loadShader(scaleKernel, "f16")).text).to.equal(readFileSync(scaleKernel.source, "utf8"));
  });

  it("holds the declaration against the text", async () => {
    const error = await engineErrorOf(() => loadShader({ ...kernel, params: { size: "u32" } }, "f32"));
    expect(error).to.include({ code: "shader", where: "spec.loaded", expected: "struct Params { size: u32 }" });
  });

  it("rejects for a file that is not there", async () => {
    const error: unknown = await loadShader(
      { ...scaleKernel, source: new URL("./gone.wgsl", import.meta.url) },
      "f32",
    ).catch((e: unknown) => e);
    expect(String(error)).to.match(/gone\.wgsl/);
  });
});

describe("checkDeclaration", () => {
  const kernel = defineKernel({
    name: "spec.declared",
    source: scaleKernel.source,
    bindings: { x: read("f32"), ids: optionalRead("u32"), y: readWrite("i32") },
    params: { count: "u32", scale: "f32" },
    constants: { tile: 8 },
    workgroups: () => [1],
  });
  const text = `
    // @group(0) @binding(7) var<storage, read> old: array<f32>;
    struct Params { count: u32, scale: f32 }
    @group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
    @group(0) @binding(1) var<storage,read> ids : array<u32>;
    @group(0) @binding(2) var<storage, read_write> y: array<i32>; // out
    @group(0) @binding(3) var<uniform> params: Params;
    override tile: u32 = 4;`;

  it("accepts what agrees, comments and spaces aside", () => {
    expect(() => checkDeclaration(kernel, text)).to.not.throw();
  });

  const drifts: Record<string, [kernel: AnyKernel, text: string, expected: string]> = {
    "a number": [kernel, text.replace("binding(1)", "binding(4)"), "binding 1: ids, storage,read, u32"],
    "a group": [kernel, text.replace("@group(0) @binding(2)", "@group(1) @binding(2)"), "binding 2: y"],
    "a name": [kernel, text.replace("ids :", "id :"), "binding 1: ids"],
    "an access": [kernel, text.replace("read_write", "read"), "binding 2: y, storage,read_write, i32"],
    "an element type": [kernel, text.replace("array<u32>", "array<f32>"), "binding 1: ids, storage,read, u32"],
    "no params": [
      kernel,
      text.replace("var<uniform> params: Params", "var<uniform> p: Params"),
      "@group(0) @binding(3)",
    ],
    "one binding more": [kernel, `${text}\n@group(0) @binding(4) var<storage, read> z: array<f32>;`, "4 bindings"],
    "a field more": [
      kernel,
      text.replace("scale: f32 }", "scale: f32, more: u32 }"),
      "struct Params { count: u32, scale",
    ],
    "fields in another order": [
      kernel,
      text.replace("count: u32, scale: f32", "scale: f32, count: u32"),
      "struct Params { count: u32, scale: f32 }",
    ],
    "no such constant": [{ ...kernel, constants: { tile: 8, depth: 2 } }, text, "override depth"],
    "a constant in a comment alone": [kernel, text.replace("override", "// override"), "override tile"],
  };
  for (const [name, [declared, changed, expected]] of Object.entries(drifts))
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(() => checkDeclaration(declared, changed));
      expect(error).to.include({ code: "shader", where: "spec.declared" });
      expect(error.expected).to.contain(expected);
      expect(error.actual).to.be.a("string");
    });
});
