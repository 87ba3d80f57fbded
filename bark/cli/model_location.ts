import { fileURLToPath } from "node:url";

/** Where the checkpoint that ships with the repository lies. */
const embedded = new URL("../../models/nano/", import.meta.url);

/** What `-m` names: `nano` is the embedded checkpoint; everything else goes to `from_pretrained` as it is. */
export function modelLocation(name = "nano"): string {
  return name === "nano" ? fileURLToPath(embedded).replace(/[/\\]$/, "") : name;
}
