import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import type { Check, Package } from "./checks.ts";
import { Project } from "./project.ts";
import { checkWav, sameSpeech, samplesIn, speakText } from "./speech.ts";

/** The package in a project of plain Node, and the same project in Deno. */
export async function nodeProject({ folder, tarballs }: Package): Promise<Project> {
  const project = await Project.create(`${folder}/node`, tarballs);
  await project.write("speak.mjs", speakText("bark-webgpu"));
  await project.addExample("node.mjs", "deno.ts", "kernel");
  return project;
}

/** What takes seconds. */
export function quickNodeChecks({ expected }: Package, project: Project): Check[] {
  return [
    {
      name: "plain Node speaks as the checkout does",
      run: async () => sameSpeech(samplesIn((await project.node("speak.mjs")).stdout), expected),
    },
    {
      name: "the command speaks, and knows its version",
      run: async () => {
        await project.npx(
          "bark-webgpu",
          "say",
          "--greedy",
          "--max-semantic-tokens",
          "40",
          "-o",
          "said.wav",
          "--quiet",
          "Hello.",
        );
        checkWav(await project.read("said.wav"));
        const manifest = (await project.read("node_modules/bark-webgpu/package.json")).toString();
        const { version } = JSON.parse(manifest) as { version: string };
        const { stdout } = await project.npx("bark", "--version");
        if (stdout.trim() !== version) throw new Error(`it says ${stdout}`);
      },
    },
    { name: "examples/kernel in Node", run: async () => isDoubled((await project.node("kernel/double.mjs")).stdout) },
    {
      name: "a runtime without WebGPU imports the entry of pages, and fails at openGpu",
      run: async () => {
        const entry = "./node_modules/bark-webgpu/dist/web/index.js";
        await project.write(
          "no_webgpu.mjs",
          `import { openGpu } from "${entry}"; await openGpu().catch((error) => console.log(error.message));`,
        );
        const { stdout } = await project.node("no_webgpu.mjs");
        if (!/^this runtime has no WebGPU; .*\n$/.test(stdout)) throw new Error(`it says ${stdout}`);
      },
    },
    {
      name: "a subpath that is not exported fails",
      run: async () => {
        await project.write("wrong.mjs", 'import "bark-webgpu/engine/gpu.js";');
        includes((await project.failing(process.execPath, "wrong.mjs")).output, "ERR_PACKAGE_PATH_NOT_EXPORTED");
      },
    },
    missing(project, "bark-webgpu-nano", 'await BarkTTS.from_pretrained("nano")', "nano: "),
    missing(project, "webgpu", "await openGpu()", "WebGPU for Node"),
    missing(
      project,
      "@huggingface/hub",
      'await (await BarkProcessor.from_pretrained("nano")).push_to_hub("x", { token: "hf_x" })',
      "push_to_hub: ",
    ),
    missing(
      project,
      "@alexanderolsen/libsamplerate-js",
      "await to_mono({ audio: [[0, 0]], sample_rate: 8000 }, 24000)",
      "@alexanderolsen/libsamplerate-js: ",
    ),
    ...[
      ["wasm-media-encoders", "mp3"],
      ["mediabunny", "flac"],
      ["@evan/opus", "opus"],
      ["@mediabunny/flac-encoder", "flac"],
      ["@mediabunny/aac-encoder", "m4a"],
    ].map(([name, format]) =>
      missing(project, name, `await new RawAudio([0], 24000).encode("${format}")`, `${name}: `),
    ),
  ];
}

export function nodeChecks({ expected }: Package, project: Project): Check[] {
  return [
    {
      name: "examples/node.mjs",
      run: async () => {
        await project.node("node.mjs");
        checkWav(await project.read("dog.wav"));
      },
    },
    {
      name: "Deno speaks as the checkout does",
      run: async () => sameSpeech(samplesIn((await project.deno("run", "-A", "speak.mjs")).stdout), expected),
    },
    {
      name: "examples/deno.ts",
      run: async () => {
        await project.deno("run", "-A", "--check", "deno.ts");
        checkWav(await project.read("dog.wav"));
      },
    },
    {
      name: "examples/kernel in Deno",
      run: async () => isDoubled((await project.deno("run", "-A", "kernel/double.mjs")).stdout),
    },
  ];
}

/** Without an optional package everything can be imported; what needs it fails with the command that installs it. */
function missing(project: Project, name: string, code: string, start: string): Check {
  return {
    name: `${name} is named where it is missing`,
    run: async () => {
      const [here, away] = [project.path(`node_modules/${name}`), project.path("away")];
      const file = "missing.mjs";
      await project.write(
        file,
        `import { BarkProcessor, BarkTTS, EngineError, openGpu, RawAudio, to_mono } from "bark-webgpu";
        try { ${code}; } catch (error) { console.log(error instanceof EngineError ? error.message : error); }`,
      );
      // A peer that nobody asked for is not installed in the first place.
      const isThere = existsSync(here);
      if (isThere) await rename(here, away);
      try {
        const { stdout } = await project.node(file);
        if (stdout.trim().includes("\n") || !stdout.startsWith(start)) throw new Error(`it says ${stdout}`);
        includes(stdout, `run: npm install ${name}`);
      } finally {
        if (isThere) await rename(away, here);
      }
    },
  };
}

export function isDoubled(output: string): void {
  includes(output.replaceAll(/\s/g, ""), "[2,4,6]");
}

export function includes(text: string, part: string): void {
  if (!text.includes(part)) throw new Error(`${JSON.stringify(part)} is not in:\n${text}`);
}
