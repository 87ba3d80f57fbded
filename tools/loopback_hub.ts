/**
 * Serves folders as repositories of a hub on this machine and prints its address:
 * `npx tsx tools/loopback_hub.ts someone/nano=models/nano`, then `HF_ENDPOINT=… npm run -s bark -- say -m someone/nano "Hello"`.
 */
import { repositoryOf, serveHub } from "../spec/support/hub/hub_server.ts";

const given = process.argv.slice(2).map((text) => text.split("="));
const repositories = await Promise.all(given.map(async ([id, folder]) => [id, await repositoryOf(folder)] as const));
const hub = await serveHub(Object.fromEntries(repositories));
console.log(hub.url);
