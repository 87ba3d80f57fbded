import { readFile } from "node:fs/promises";
import { openGpu, Scope } from "bark-webgpu/engine";
import { Gpt2, readTensors, type Gpt2Config } from "./gpt2.ts";

const prompt = process.argv[2] ?? "The old man ";
const gpu = await openGpu({ onNotice: console.error });
const scope = new Scope(gpu);
const read = (name: string) => readFile(new URL(name, import.meta.url));
const config = JSON.parse((await read("config.json")).toString()) as Gpt2Config;
const model = new Gpt2(scope, readTensors(new Uint8Array(await read("model.safetensors"))), config);
// One byte is one token.
const tokens = await model.generate([...Buffer.from(prompt)], 100);
console.log(prompt + Buffer.from(tokens).toString());
scope.dispose();
gpu.dispose();
