/** A process that fetches a file of a loopback hub and is killed meanwhile: ENDPOINT CACHE ID FILE. */
import { parseRepository } from "../../../checkpoint/hub/repository.ts";
import { DiskHubStore } from "../../../checkpoint/node/hub/disk_hub_store.ts";

const [endpoint, cacheDir, id, file] = process.argv.slice(2);
await new DiskHubStore(parseRepository(id, { endpoint })!, { endpoint, cacheDir }).open(file);
