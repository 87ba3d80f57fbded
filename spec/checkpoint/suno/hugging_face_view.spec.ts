import { expect } from "chai";
import { HuggingFaceView } from "../../../checkpoint/suno/hugging_face_view.ts";
import type { FileStore } from "../../../checkpoint/stores/file_store.ts";
import { EngineError } from "../../../engine/errors.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("HuggingFaceView", () => {
  it("looks again after a read that broke", async () => {
    let faults = 1;
    const store: FileStore = {
      name: "store",
      open: (path) =>
        path !== "config.json" && faults-- > 0
          ? Promise.reject(new EngineError("io", "the connection broke"))
          : Promise.resolve(undefined),
    };
    const view = new HuggingFaceView(store);
    expect((await engineErrorOf(() => view.open("config.json"))).problem).equal("the connection broke");
    expect(await view.open("config.json")).equal(undefined);
  });

  it("lists what its store lists, and nothing of one that cannot", async () => {
    const open = async (): Promise<undefined> => undefined;
    const list = async (): Promise<readonly string[]> => ["text.pt", "coarse.pt"];
    expect(await new HuggingFaceView({ name: "store", open, list }).list()).deep.equal(["text.pt", "coarse.pt"]);
    expect(await new HuggingFaceView({ name: "store", open }).list()).deep.equal([]);
  });
});
