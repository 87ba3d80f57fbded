/** A process that fetches a file of a loopback hub and is killed meanwhile: ENDPOINT CACHE ID FILE. */
import { parseRepository } from "../../engine/hub/repository.ts";
import { CachedHubStore } from "../../engine/node/hub_store.ts";

const [endpoint, cacheDir, id, file] = process.argv.slice(2);
await new CachedHubStore(parseRepository(id, { endpoint })!, { endpoint, cacheDir }).open(file);
