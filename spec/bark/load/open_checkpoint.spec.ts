import { expect } from "chai";
import { BarkConfig } from "../../../bark/config/config.ts";
import { nameOf, openCheckpoint, type CheckpointSource } from "../../../bark/load/open_checkpoint.ts";
import "../../../checkpoint/node/index.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { serve, sendRange } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { readFile } from "node:fs/promises";

describe("what from_pretrained takes first", () => {
  it("is a URL object, of a folder or of a server", async () => {
    const nano = new URL("../../../models/nano/", import.meta.url);
    const expected = await BarkConfig.from_pretrained("models/nano");
    const server = await serve((request, response) => {
      const name = request.url!.replace("/nano/", "");
      readFile(new URL(name, nano)).then(
        (bytes) => sendRange(request, response, bytes),
        () => response.writeHead(404).end(),
      );
    });
    try {
      for (const source of [nano, nano.href, new URL(`${server.url}/nano`)])
        expect(await BarkConfig.from_pretrained(source), String(source)).deep.equal(expected);
    } finally {
      await server.close();
    }
  });

  it("is a store", async () => {
    const store = new MemoryStore(new Map([["a", new Uint8Array(1)]]));
    const opened = await openCheckpoint(store);
    expect((await opened.open("a"))?.size).equal(1);
    expect(await openCheckpoint(opened)).equal(opened);
  });

  it("has a folder of its own where subfolder names one", async () => {
    const config = await BarkConfig.from_pretrained("models", { subfolder: "nano" });
    expect(config).deep.equal(await BarkConfig.from_pretrained("models/nano", { subfolder: "" }));
    const deep = new MemoryStore(new Map([["a/b/c.txt", new Uint8Array(3)]]), "deep");
    const opened = await openCheckpoint(deep, { subfolder: "./a//b/" });
    expect([opened.name, (await opened.open("c.txt"))?.size]).deep.equal(["deep/a/b", 3]);
    expect(await opened.open("d.txt")).equal(undefined);
    const missing = await engineErrorOf(() => BarkConfig.from_pretrained("models/nano", { subfolder: "x" }));
    expect(missing.toLine()).match(/^models\/nano\/x: the checkpoint has no config\.json/);
    for (const outside of ["..", "a/../..", "/etc"])
      expect((await engineErrorOf(() => openCheckpoint(deep, { subfolder: outside }))).problem).match(
        /leaves the check/,
      );
    expect((await engineErrorOf(() => opened.open("../x"))).problem).match(/leaves the checkpoint/);
  });

  for (const [name, source] of Object.entries({
    nothing: undefined,
    null: null,
    "a number": 7,
    "an empty string": "",
    blanks: " ",
    "an object": {},
    "a list": ["suno/bark"],
    "a function": () => "suno/bark",
  }))
    it(`is refused by name if it is ${name}`, async () => {
      const error = await engineErrorOf(() => openCheckpoint(source as CheckpointSource));
      expect([error.code, error.where]).deep.equal(["usage", "model"]);
      expect(error.fix).contain("from_pretrained");
    });

  it("is shown without what is secret in it", () => {
    expect(nameOf("https://u:s3cret@example.org/m?token=s3cret")).equal("https://***@example.org/m?token=***");
    expect(nameOf(new URL("https://u:s3cret@example.org/m"))).equal("https://***@example.org/m");
    expect(nameOf("suno/bark@v1")).equal("suno/bark@v1");
  });
});
