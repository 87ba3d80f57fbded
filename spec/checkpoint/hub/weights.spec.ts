import { expect } from "chai";
import { openWeights } from "../../../checkpoint/open_weights.ts";
import type { FileStore } from "../../../checkpoint/stores/file_store.ts";
import { DirectoryStore } from "../../../checkpoint/node/directory_store.ts";
import { parseRepository } from "../../../checkpoint/hub/repository.ts";
import { PageHubStore } from "../../../checkpoint/web/page_hub_store.ts";
import { CacheApiParts } from "../../../checkpoint/web/part_cache.ts";
import { hubFixture, type HubFixture } from "../../support/hub/hub_fixture.ts";
import { repositoryOf } from "../../support/hub/hub_server.ts";

async function tensorsOf(store: FileStore): Promise<Record<string, number[]>> {
  const reader = await openWeights(store);
  try {
    const tensors: Record<string, number[]> = {};
    for (const name of reader.names()) tensors[name] = Array.from(await reader.readFloat32(name));
    return tensors;
  } finally {
    await reader.close();
  }
}

describe("weights of torch on the hub", () => {
  let fixture: HubFixture;
  before(async () => {
    fixture = await hubFixture();
    for (const name of ["hf", "sharded"])
      fixture.hub.repositories.set(`torch/${name}`, await repositoryOf(`spec/fixtures/torch/${name}`));
  });
  after(async () => await fixture.close());

  for (const name of ["hf", "sharded"]) {
    it(`are fetched to the disk (${name})`, async () => {
      const expected = await tensorsOf(new DirectoryStore(`spec/fixtures/torch/${name}`));
      expect(await tensorsOf(fixture.open({}, `torch/${name}`))).deep.equal(expected);
    });

    it(`are read by range in a page (${name})`, async () => {
      const expected = await tensorsOf(new DirectoryStore(`spec/fixtures/torch/${name}`));
      const settings = {
        endpoint: fixture.hub.url,
        parts: new CacheApiParts("spec"),
        partBytes: 10_000,
      };
      const repository = parseRepository(`torch/${name}`, settings)!;
      expect(await tensorsOf(new PageHubStore(repository, settings))).deep.equal(expected);
    });
  }
});
