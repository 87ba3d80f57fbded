import { expect } from "chai";
import { readFile, stat } from "node:fs/promises";
import {
  contentOf,
  ended,
  fetchInProcess,
  hubFixture,
  id,
  weights,
  type HubFixture,
} from "../../support/hub/hub_fixture.ts";
import { sha256 } from "../../support/hub/hub_server.ts";

const half = 1_500_000;

describe("the hub's cache, of several processes", () => {
  let fixture: HubFixture;
  beforeEach(async () => {
    fixture = await hubFixture();
  });
  afterEach(async () => await fixture.close());

  it("has a file fetched once by two processes", async () => {
    const args = [fixture.hub.url, fixture.cacheDir, id, "model.safetensors"];
    const codes = await Promise.all([1, 2].map(async () => await ended(fetchInProcess(args))));
    expect(codes).deep.equal([0, 0]);
    expect(fixture.asked().filter((line) => line.startsWith("GET storage"))).have.length(1);
    expect((await readFile(fixture.inCache("blobs", sha256(weights)))).equals(weights)).true;
  });

  it("goes on after a process that was killed", async () => {
    fixture.hub.intercept = (_, response, server) => {
      if (server !== "storage") return false;
      response.writeHead(206, { "Content-Range": `bytes 0-${weights.length - 1}/${weights.length}` });
      response.write(weights.subarray(0, half));
      fixture.hub.intercept = undefined;
      return true;
    };
    const incomplete = fixture.inCache("blobs", `${sha256(weights)}.incomplete`);
    const child = fetchInProcess([fixture.hub.url, fixture.cacheDir, id, "model.safetensors"]);
    const killed = ended(child);
    while (((await stat(incomplete).catch(() => undefined))?.size ?? 0) < half)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGKILL");
    expect(await killed).equal("SIGKILL");
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
    const ranges = fixture.hub.asked.filter(({ server }) => server === "storage").map(({ range }) => range);
    const end = weights.length - 1;
    expect(ranges).deep.equal([`bytes=0-${end}`, `bytes=${half}-${end}`]);
  });
});
