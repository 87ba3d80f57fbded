import { expect } from "chai";
import { readFile } from "node:fs/promises";
import "../../checkpoint/node/index.ts";
import { openAddresses } from "../../checkpoint/open_addresses.ts";
import { sendRange, serve } from "../support/loopback.ts";
import { engineErrorOf } from "../support/rejection.ts";

const nano = new URL("../../models/nano/", import.meta.url);
const paths = ["config.json", "tokenizer.json", "speaker_embeddings/en_speaker_0_fine_prompt.npy"];

describe("a checkpoint whose files have addresses", () => {
  it("is a folder where they lie in one", async () => {
    const files = Object.fromEntries(paths.map((path) => [path, new URL(path, nano).href]));
    const store = await openAddresses("nano", files);
    expect(store.name).match(/models\/nano$/);
    expect(await store.list?.()).contain("vocab.txt");
  });

  it("is read file by file where a bundler named them anew, or wrote them into its code", async () => {
    const server = await serve((request, response) => {
      const index = Number(/^\/assets\/(\d)-name%20x\.bin$/.exec(request.url!)?.[1]);
      readFile(new URL(paths[index], nano)).then(
        (bytes) => sendRange(request, response, bytes),
        () => response.writeHead(404).end(),
      );
    });
    try {
      const config = await readFile(new URL(paths[0], nano));
      const files = {
        [paths[0]]: `data:application/json;base64,${config.toString("base64")}`,
        [paths[1]]: `${server.url}/assets/1-name%20x.bin`,
        [paths[2]]: `${server.url}/assets/2-name%20x.bin`,
      };
      const store = await openAddresses("nano", files);
      for (const path of paths) {
        const source = (await store.open(path))!;
        expect(Buffer.from(await source.read(0, source.size)).equals(await readFile(new URL(path, nano))), path).true;
      }
      expect(await store.open("pytorch_model.bin")).equal(undefined);
    } finally {
      await server.close();
    }
  });

  it("is read from files that a person chose in a page", async () => {
    const contents = await Promise.all(paths.map(async (path) => await readFile(new URL(path, nano))));
    const store = await openAddresses(
      "chosen",
      Object.fromEntries(paths.map((path, i) => [path, new Blob([contents[i]])])),
    );
    for (const [i, path] of paths.entries()) {
      const source = (await store.open(path))!;
      expect(Buffer.from(await source.read(0, source.size)).equals(contents[i]), path).true;
    }
    expect(await store.open("model.safetensors")).equal(undefined);
    expect(await store.list?.()).deep.equal(["config.json", "tokenizer.json"]);
  });

  it("is refused if they are not there", async () => {
    const server = await serve((_request, response) => response.writeHead(404).end());
    try {
      const error = await engineErrorOf(() => openAddresses("nano", { "config.json": `${server.url}/config.json` }));
      expect([error.code, error.where]).deep.equal(["bad-input", server.url]);
      expect(error.message).contain("the files of nano are missing");
    } finally {
      await server.close();
    }
  });
});
