import { readFile } from "node:fs/promises";
import { openGpu, Scope } from "bark-webgpu/engine";
import { Gpt2, readTensors, type Gpt2Config } from "./gpt2.ts";

const prompt = process.argv[2] ?? "The old man ";
const gpu = await openGpu({ onNotice: console.error });
const scope = new Scope(gpu);
const config = JSON.parse(await readFile(new URL("./config.json", import.meta.url), "utf8")) as Gpt2Config;
const weights = await readFile(new URL("./model.safetensors", import.meta.url));
const model = new Gpt2(scope, readTensors(new Uint8Array(weights)), config);
// One byte is one token.
const tokens = await model.generate([...Buffer.from(prompt)], 100);
console.log(prompt + Buffer.from(tokens).toString());
scope.dispose();
gpu.dispose();
