import { expect } from "chai";
import type { HubEvent } from "../../../checkpoint/hub/options.ts";
import { HubProgress } from "../../../checkpoint/hub/progress.ts";

const mebi = 2 ** 20;

describe("HubProgress", () => {
  let events: HubEvent[];
  let progress: HubProgress;
  beforeEach(() => {
    events = [];
    progress = new HubProgress("a/b", (event) => events.push(event));
  });
  const loaded = (): number[] => events.filter((event) => event.status === "progress").map((event) => event.loaded);

  it("reports each MiB and the end, in either direction", () => {
    progress.start("f", 0, 10 * mebi);
    for (const now of [mebi - 1, mebi, 2 * mebi - 1, 2 * mebi + 5, mebi + 5, mebi + 6, 10 * mebi - 1, 10 * mebi])
      progress.advance("f", now);
    expect(loaded()).deep.equal([0, mebi, 2 * mebi + 5, mebi + 5, 10 * mebi - 1, 10 * mebi]);
  });

  it("tells nothing of a file that was not started", () => {
    progress.advance("f", 5);
    progress.advance("f", 5 * mebi);
    expect(events).deep.equal([]);
  });

  it("tells an empty file as whole, and counts all files together", () => {
    progress.start("empty", 0, 0);
    progress.start("f", 1, 4);
    progress.advance("f", 4);
    progress.done("f");
    expect(events).deep.equal([
      { status: "download", name: "a/b", file: "empty" },
      { status: "progress", name: "a/b", file: "empty", progress: 100, loaded: 0, total: 0 },
      {
        ...{ status: "progress_total", name: "a/b", progress: 100, loaded: 0, total: 0 },
        files: { empty: { loaded: 0, total: 0 } },
      },
      { status: "download", name: "a/b", file: "f" },
      { status: "progress", name: "a/b", file: "f", progress: 25, loaded: 1, total: 4 },
      {
        ...{ status: "progress_total", name: "a/b", progress: 25, loaded: 1, total: 4 },
        files: { empty: { loaded: 0, total: 0 }, f: { loaded: 1, total: 4 } },
      },
      { status: "progress", name: "a/b", file: "f", progress: 100, loaded: 4, total: 4 },
      {
        ...{ status: "progress_total", name: "a/b", progress: 100, loaded: 4, total: 4 },
        files: { empty: { loaded: 0, total: 0 }, f: { loaded: 4, total: 4 } },
      },
      { status: "done", name: "a/b", file: "f" },
    ]);
  });

  it("needs no listener", () => {
    const silent = new HubProgress("a/b", undefined);
    silent.begin("f");
    silent.start("f", 0, 1);
    silent.advance("f", 1);
    silent.done("f");
    progress.begin("f");
    expect(events).deep.equal([{ status: "initiate", name: "a/b", file: "f" }]);
  });
});
