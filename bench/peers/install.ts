/** Installs the engines that `bench peers` compares with into `.cache/peers`: `npx tsx bench/peers/install.ts`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { peersFolder } from "./folder.ts";

const packages = {
  "onnxruntime-node": "1.30.0",
  "onnxruntime-web": "1.30.0",
  "@jax-js/jax": "0.1.25",
  "@tensorflow/tfjs-core": "4.22.0",
  "@tensorflow/tfjs-backend-cpu": "4.22.0",
  "@tensorflow/tfjs-backend-webgpu": "4.22.0",
};

mkdirSync(peersFolder, { recursive: true });
writeFileSync(`${peersFolder}/package.json`, JSON.stringify({ private: true, dependencies: packages }, undefined, 1));
// The scripts of onnxruntime-node would download CUDA, which nobody asks for here.
const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
const { status } = spawnSync("npm", args, { cwd: peersFolder, stdio: "inherit" });
if (status === 0) console.log(`installed into ${peersFolder}; PyTorch is taken from \`--python\` (default: python3)`);
process.exitCode = status ?? 1;
