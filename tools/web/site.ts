/** `npm run web [PORT]` serves the site; `npm run build:web [FOLDER]` makes a folder of it for any host of static files. */
import path from "node:path";
import { buildSite } from "../build/site.ts";
import { serveFolder } from "./serve.ts";

const root = path.resolve(import.meta.dirname, "../..");
const [command, argument] = process.argv.slice(2);
if (command === "build") {
  const folder = path.resolve(argument ?? "site");
  await buildSite(root, folder);
  console.log(`${folder}: copy it to any host of static files, at any address (https, or localhost)`);
} else {
  const folder = path.join(root, ".cache/site");
  await buildSite(root, folder);
  const { url } = await serveFolder(folder, Number(argument ?? 8080));
  console.log(`${url} speaks until you press Ctrl+C`);
}
