/** Prints the variables with which any program finds SwiftShader: `env $(npx tsx tools/software_adapter_env.ts) deno …` */
import path from "node:path";
import { swiftShaderFolder } from "../engine/node/software/software_adapter.ts";

const folder = await swiftShaderFolder();
console.log(`LD_LIBRARY_PATH=${folder}\nVK_DRIVER_FILES=${path.join(folder, "vk_swiftshader_icd.json")}`);
