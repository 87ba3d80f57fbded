import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

describe("a worker that speaks", () => {
  it("can be terminated once stop() has ended its work", async () => {
    const script = fileURLToPath(new URL("../support/stopped_worker.ts", import.meta.url));
    // Of a process that aborts, this rejects.
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), script]);
    const lines = stdout.trim().split("\n");
    expect(lines[0]).to.equal("speaking");
    expect(lines).to.include.members(["stopped", "terminated"]);
    expect(lines.find((line) => line.startsWith("ended: "))).to.match(/the GPU device was disposed$/);
  });
});
