import { expect } from "chai";
import { compare, peerLine, type CompareOptions } from "./compare.ts";
import { LineProcess } from "./line_process.ts";
import { onnxModel } from "./engines/onnx_models.ts";
import { tensorsOf, worksOf, type GptWork } from "../measure/work.ts";
import { plotPeers } from "../report/peers_plot.ts";
import { resultsMarkdown } from "../report/markdown.ts";

const tiny: GptWork = {
  kind: "gpt",
  name: "tiny",
  layers: 1,
  width: 32,
  heads: 2,
  rows: 1,
  past: 5,
  causal: true,
};
const options: CompareOptions = {
  peers: ["ours", "tfjs"],
  folder: "/no/such/folder",
  device: undefined,
  against: undefined,
  adapterName: "",
  python: "python3",
  rounds: 2,
  enough: 60_000,
  onNote: () => undefined,
};

function worker(source: string): LineProcess {
  return new LineProcess(process.execPath, ["-e", source], process.env);
}

describe("bench peers", () => {
  it("times ours, and says of a peer that is not installed that it is not", async () => {
    const [ours, tfjs] = await compare(tiny, options);
    expect(ours.error).equal(undefined);
    expect(ours.milliseconds?.count).equal(2);
    expect(tfjs.milliseconds).equal(undefined);
    expect(peerLine(tfjs)).include("tfjs WebGPU").and.include("no figure: Cannot find module");

    const machine = { processor: "P", cores: 1, runtime: "R", adapter: "A", software: true, features: [] };
    const report = {
      command: "peers" as const,
      args: ["decode"],
      machine,
      works: [{ work: tiny, results: [ours, tfjs] }],
    };
    expect(plotPeers(report))
      .match(/^<svg .*<\/svg>\n$/s)
      .and.not.match(/NaN|undefined|Infinity/);
    expect(resultsMarkdown([report]))
      .include("npm run bench:peers -- decode")
      .and.include("| no figure: ");
  });

  it("talks to a worker in lines, past what libraries print", async () => {
    const process = worker(`console.log("banner"); console.log('@{"milliseconds":7}');`);
    expect(await process.answer()).deep.equal({ milliseconds: 7 });
    await process.close();
  });

  it("passes on what a worker says went wrong, and that it ended", async () => {
    const failing = worker(`console.log('@{"error":"no adapter"}')`);
    expect(await messageOf(failing.answer())).equal("no adapter");
    expect(await messageOf(worker(`process.exit(3)`).answer())).equal("it ended without a word");
    expect(await messageOf(new LineProcess("/no/such/python", [], {}).answer())).include("ENOENT");
  });

  it("compares the works of bark-small", () => {
    const works = worksOf(12);
    expect(works.map(({ name }) => name)).deep.equal(["decode", "prefill", "pass", "codec75", "codec750"]);
    expect(tensorsOf(works[0])["qkv.11"].shape).deep.equal([768, 2304]);
    expect(tensorsOf(works[4])["up.0.weight"].shape).deep.equal([512, 256, 16]);
  });

  it("writes ONNX whose messages are as long as they say", () => {
    for (const attention of ["fused", "plain"] as const) {
      const bytes = Buffer.concat(onnxModel(tiny, attention));
      // ir_version 8, producer_name, then the graph and two operator sets.
      expect(fieldsOf(bytes).map(({ field }) => field)).deep.equal([1, 2, 7, 8, 8]);
      const graph = fieldsOf(fieldsOf(bytes)[2].bytes);
      const initializers = graph.filter(({ field }) => field === 5).length;
      expect(initializers).at.least(9);
      expect(graph.filter(({ field }) => field === 11 || field === 12)).to.have.length(2);
    }
  });
});

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "no error",
    (error: unknown) => (error as Error).message,
  );
}

/** The fields of a protobuf message whose fields are varints or have lengths. */
function fieldsOf(bytes: Uint8Array): { field: number; bytes: Uint8Array }[] {
  let at = 0;
  const varint = (): number => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  };
  const fields: { field: number; bytes: Uint8Array }[] = [];
  while (at < bytes.length) {
    const tag = varint();
    const length = tag % 8 === 2 ? varint() : (varint(), 0);
    fields.push({ field: Math.floor(tag / 8), bytes: bytes.subarray(at, at + length) });
    at += length;
    if (at > bytes.length) throw new Error("a field is longer than its message");
  }
  return fields;
}
