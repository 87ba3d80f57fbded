import path from "node:path";
import type { Check, Package } from "./checks.ts";
import { Project } from "./project.ts";
import { checkWav } from "./speech.ts";

const modules = [
  ["NodeNext", "NodeNext"],
  ["ESNext", "Bundler"],
];
/** Libraries and global types of a program in Node, in a page, and of one that has WebGPU's types from npm. */
const programs = [
  { lib: ["ES2022"], types: ["node"] },
  { lib: ["ES2022", "DOM"], types: [] },
  { lib: ["ES2022", "DOM"], types: ["@webgpu/types"], only: "5.9" }, // They clash with the DOM of TypeScript 6.
];

/** A call of every entry, and calls that are wrong. */
const program = `import { BarkModel, BarkTTS, BarkWorker, openGpu } from "bark-webgpu";
import { defineKernel, read, readWrite } from "bark-webgpu/engine";
import { allKernels, matmul } from "bark-webgpu/kernels";
import type { WorkerRequest } from "bark-webgpu/worker";

const double = defineKernel({
  name: "double",
  source: new URL("file:///double.wgsl"),
  bindings: { x: read("f32"), y: readWrite("f32") },
  params: { size: "u32" },
  workgroups: ({ size }) => [size],
});
export async function speak(): Promise<Float32Array> {
  const gpu = await openGpu();
  const x = gpu.tensorFrom("f32", [1], Float32Array.of(1), "x");
  await gpu.runKernel(double, { x, y: x }, { size: 1 });
  // @ts-expect-error A binding is missing.
  await gpu.runKernel(double, { x }, { size: 1 });
  const label: string = gpu.device.label;
  const model = await BarkModel.from_pretrained("nano", { gpu });
  // @ts-expect-error There is no such option.
  await BarkModel.from_pretrained("nano", { gpus: 2 });
  const request: WorkerRequest = { id: 1, kind: "abort" };
  console.log(label, model.config, request, allKernels.length, matmul, BarkWorker);
  const tts = await BarkTTS.from_pretrained("nano", { dtype: "f16", gpu });
  return (await tts.generate("Hello", { voice: "en_speaker_0" })).audio;
}
`;

/** What only a page has. */
const pageProgram = `import { Player, type BarkSpeech } from "bark-webgpu/element";
export async function press(): Promise<number> {
  const speech: BarkSpeech = document.querySelector("bark-speech")!;
  speech.voice = "en_speaker_1";
  // @ts-expect-error There is no such property.
  speech.voices = [];
  await speech.speak();
  return new Player({ prebuffer: 0.5 }).duration + speech.player.duration;
}
`;

export async function typescriptProject({ folder, tarballs }: Package): Promise<Project> {
  const versions = ["typescript@6", "typescript59@npm:typescript@5.9", "@types/node@20", "@webgpu/types@0.1.74"];
  return await Project.create(`${folder}/typescript`, [...tarballs, ...versions]);
}

export function typescriptChecks(project: Project): Check[] {
  return programs.flatMap(({ only, ...given }) => [
    ...(only === "6" ? [] : compileChecks(project, "5.9", "node_modules/typescript59", given)),
    ...(only === "5.9" ? [] : compileChecks(project, "6", "node_modules/typescript", given)),
  ]);
}

/** A page, by the TypeScript of the checkout. */
export function quickTypescriptChecks(project: Project): Check[] {
  return compileChecks(project, "6", path.resolve("node_modules/typescript"), { lib: ["ES2022", "DOM"], types: [] });
}

/** Strict, and without skipLibCheck. */
function compileChecks(
  project: Project,
  version: string,
  compiler: string,
  { lib, types }: { lib: string[]; types: string[] },
): Check[] {
  return modules.map(([module, moduleResolution]) => ({
    name: `TypeScript ${version}, ${moduleResolution}, ${lib.join(" and ")}, types ${types.join() || "none"}`,
    run: async () => {
      const compilerOptions = { noEmit: true, strict: true, target: "ES2022", module, moduleResolution, lib, types };
      await project.write("program.ts", lib.includes("DOM") ? program + pageProgram : program);
      await project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["program.ts"] }));
      await project.node(`${compiler}/bin/tsc`, "-p", ".");
    },
  }));
}

export function typescriptExample(project: Project): Check {
  return {
    name: "examples/typescript",
    run: async () => {
      await project.addExample("typescript/say.ts", "typescript/tsconfig.json");
      await project.node("node_modules/typescript/bin/tsc");
      await project.node("say.js");
      checkWav(await project.read("dog.wav"));
    },
  };
}
