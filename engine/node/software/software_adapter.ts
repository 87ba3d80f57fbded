import { readdirSync } from "node:fs";
import { constants, homedir } from "node:os";
import path from "node:path";
import { EngineError } from "../../errors.ts";
import { cachedFolder, extractTar, findChromiumPackage, readChromiumArchive } from "./chromium_package.ts";
import { adapterAdvice, canRunSwiftShader, thisMachine } from "../machine.ts";

const driverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"] as const;
const libraryName = "libvulkan.so.1";
// Without RTLD_NODELETE Node closes a library that is not an addon at once, and Dawn does not find it.
const RTLD_NODELETE = 0x1000;

/** Folder with SwiftShader and a Vulkan loader (`libvulkan.so.1`, `vk_swiftshader_icd.json`), unpacked the first time. */
export async function swiftShaderFolder(): Promise<string> {
  const packageDir = findChromiumPackage();
  const machine = thisMachine();
  if (packageDir === undefined || !canRunSwiftShader(machine))
    throw new EngineError("no-adapter", "no adapter was found, and SwiftShader, which could stand in, is not here", {
      fix: adapterAdvice(machine).join("; "),
    });
  return await cachedFolder(packageDir, "swiftshader", async (folder) => {
    await extractTar(await readChromiumArchive(packageDir, "swiftshader.tar.br"), folder);
  });
}

/** Whether this machine (or its user, by a variable) names a Vulkan driver. Other systems than Linux always have one. */
export function hasGpuDriver(): boolean {
  if (process.platform !== "linux") return true;
  if (driverVariables.some((name) => process.env[name])) return true;
  return driverFolders().some((folder) => {
    try {
      return readdirSync(folder).some((file) => file.endsWith(".json"));
    } catch {
      return false;
    }
  });
}

// Where the Vulkan loader looks for drivers.
function driverFolders(): string[] {
  const { XDG_DATA_DIRS, XDG_DATA_HOME, XDG_CONFIG_DIRS, XDG_CONFIG_HOME } = process.env;
  const roots = [
    XDG_CONFIG_HOME ?? path.join(homedir(), ".config"),
    ...(XDG_CONFIG_DIRS ?? "/etc/xdg").split(":"),
    "/usr/local/etc",
    "/etc",
    XDG_DATA_HOME ?? path.join(homedir(), ".local/share"),
    ...(XDG_DATA_DIRS ?? "/usr/local/share:/usr/share").split(":"),
  ];
  return roots.map((root) => path.join(root, "vulkan/icd.d"));
}

/** Loads the system's Vulkan loader, else SwiftShader's, into this process, so that Dawn finds it by name. */
export async function loadVulkanLoader(): Promise<void> {
  if (process.platform !== "linux" || loadLibrary(libraryName)) return;
  const file = path.join(await swiftShaderFolder(), libraryName);
  if (!loadLibrary(file)) throw new EngineError("no-adapter", "the Vulkan loader cannot be loaded", { where: file });
}

function loadLibrary(file: string): boolean {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    return true;
  } catch (error) {
    // Node reports a library that is not an addon like this, after it has loaded it.
    return String(error).includes("did not self-register");
  }
}

/**
 * Runs `action` with SwiftShader as the only Vulkan driver. The variables are put back, so that child processes do not
 * inherit the choice.
 */
export async function withSwiftShader<T>(action: () => Promise<T>): Promise<T> {
  const folder = await swiftShaderFolder();
  await loadVulkanLoader();
  const before = driverVariables.map((name) => [name, process.env[name]] as const);
  for (const name of driverVariables) delete process.env[name];
  process.env["VK_DRIVER_FILES"] = path.join(folder, "vk_swiftshader_icd.json");
  try {
    return await action();
  } finally {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}
