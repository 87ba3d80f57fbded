import { expect } from "chai";
import { webgpuTypes, withOwnTypes } from "../../../tools/build/declarations.ts";

describe("declarations of the package", () => {
  it("name their neighbours as they are called in dist/", () => {
    const text = 'export { a } from "./a.ts";\nexport declare const b: import("../b/b.ts").B;\n';
    expect(withOwnTypes(text, "x/c.d.ts")).equal(
      'export { a } from "./a.js";\nexport declare const b: import("../b/b.js").B;\n',
    );
  });

  it("take WebGPU's types from where they are", () => {
    const text = "export declare const device: GPUDevice;\n";
    expect(withOwnTypes(text, "engine/a.d.ts")).equal(`import type { GPUDevice } from "../webgpu_types.js";\n${text}`);
    expect(webgpuTypes).contain("export type GPUDevice = ");
  });

  it("may use no type that nobody looks up", () => {
    expect(() => withOwnTypes("export declare const x: GPUTexture;", "a.d.ts")).throw(/add GPUTexture to/);
  });

  it("bring the library of Symbol.dispose", () => {
    const text = "export declare class A { [Symbol.dispose](): void; }\n";
    expect(withOwnTypes(text, "a.d.ts")).equal(`/// <reference lib="esnext.disposable" />\n${text}`);
  });
});
