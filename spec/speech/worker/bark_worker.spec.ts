import { BarkWorker, EngineError, RawAudio, type WorkerLike } from "bark-webgpu";
import { expect } from "chai";
import { sendable, type WorkerAnswer, type WorkerRequest } from "../../../speech/worker/protocol.ts";
import { engineErrorOf } from "../../support/rejection.ts";

/** A worker that answers what a test says. Messages are cloned, as between threads. */
class FakeWorker implements WorkerLike {
  readonly requests: WorkerRequest[] = [];
  terminated = false;
  readonly #listeners = new Map<string, (event: Event) => void>();
  readonly #answer: (request: WorkerRequest, send: (answer: WorkerAnswer) => void) => void;

  constructor(answer: (request: WorkerRequest, send: (answer: WorkerAnswer) => void) => void) {
    this.#answer = answer;
  }

  postMessage(message: unknown): void {
    const request = structuredClone(message) as WorkerRequest;
    this.requests.push(request);
    this.#answer(request, (answer) => this.emit("message", { data: structuredClone(answer) }));
  }

  addEventListener(type: string, listener: (event: Event) => void): void {
    this.#listeners.set(type, listener);
  }

  emit(type: string, fields: object): void {
    this.#listeners.get(type)?.(Object.assign(new Event(type), fields));
  }

  terminate(): void {
    this.terminated = true;
  }
}

const loads = (request: WorkerRequest, send: (answer: WorkerAnswer) => void): void => {
  if (request.kind === "load") send({ id: request.id, event: "done" });
};

describe("BarkWorker", () => {
  it("tells its worker where the files of nano are, and passes its answers on", async () => {
    const notices: string[] = [];
    const worker = new FakeWorker((request, send) => {
      const { id } = request;
      send({ id, event: "progress", listener: "onNotice", value: `notice ${id}` });
      const speech = { audio: Float32Array.of(0, 0.5), dims: [2], sampling_rate: 24000, captions: [] };
      send(request.kind === "load" ? { id, event: "done" } : { id, event: "done", speech });
    });
    const onNotice = (line: string): void => void notices.push(line);
    const bark = await BarkWorker.from_pretrained("nano", { worker, dtype: "f32", onNotice });
    const [load] = worker.requests;
    if (load.kind !== "load" || typeof load.model === "string") throw new Error("no files were sent");
    expect(load.model.files["model.safetensors"]).match(/^file:.*\/models\/nano\/model\.safetensors$/);
    expect(load.options).deep.equal({ dtype: "f32", recover: true });
    const speech = await bark.generate("Hello", { seed: 7 });
    expect(speech).instanceOf(RawAudio);
    expect([Array.from(speech.audio), speech.sampling_rate]).deep.equal([[0, 0.5], 24000]);
    expect(worker.requests[1]).deep.equal({ id: 2, kind: "generate", text: "Hello", options: { seed: 7 } });
    // Of speaking, too: a device that was opened anew, say.
    expect(notices).deep.equal(["notice 1", "notice 2"]);
  });

  it("throws the worker's errors with their fields", async () => {
    const error = new EngineError("bad-input", "is damaged", {
      where: "a",
      expected: [1],
      actual: () => 1,
      fix: "mend it",
    });
    const worker = new FakeWorker(({ id }, send) => send({ id, event: "error", error: sendable(error) }));
    const received = await engineErrorOf(() => BarkWorker.from_pretrained("nano", { worker }));
    expect(received.message).equal("a: is damaged (expected [1], got a function); mend it");
    expect([received.code, received.where, received.fix]).deep.equal(["bad-input", "a", "mend it"]);
    expect(worker.terminated).equal(true);
  });

  it("aborts the call of a signal, also of one that fired before", async () => {
    for (const early of [true, false]) {
      const worker = new FakeWorker((request, send) => {
        loads(request, send);
        const { id } = request;
        if (request.kind === "abort")
          send({ id, event: "error", error: { code: "aborted", problem: "semantic was aborted" } });
      });
      const bark = await BarkWorker.from_pretrained("nano", { worker });
      const stop = new AbortController();
      if (early) stop.abort();
      const speaking = bark.generate("Hello", { signal: stop.signal });
      speaking.catch(() => undefined);
      stop.abort();
      expect((await engineErrorOf(() => speaking)).code).equal("aborted");
      expect(worker.requests.at(-1)).deep.equal({ id: 2, kind: "abort" });
    }
  });

  it("ends its calls when it is disposed or the worker ends, and refuses later ones", async () => {
    const ends: [string, (bark: BarkWorker, worker: FakeWorker) => void][] = [
      ["usage", (bark) => bark.dispose()],
      ["io", (_bark, worker) => worker.emit("error", { message: "out of memory" })],
    ];
    for (const [code, end] of ends) {
      const worker = new FakeWorker(loads);
      const bark = await BarkWorker.from_pretrained("nano", { worker });
      const speaking = bark.generate("Hello");
      speaking.catch(() => undefined);
      end(bark, worker);
      expect((await engineErrorOf(() => speaking)).code).equal(code);
      expect((await engineErrorOf(() => bark.generate("Hello"))).code).equal(code);
      expect(worker.terminated).equal(true);
    }
  });

  it("loads its model in another worker when one has died, and says so once", async () => {
    const workers: FakeWorker[] = [];
    const notices: string[] = [];
    const answer = (request: WorkerRequest, send: (answer: WorkerAnswer) => void): void => {
      loads(request, send);
      if (request.kind === "next" && workers.length > 1) send({ id: request.id, event: "done" });
    };
    const worker = (): FakeWorker => {
      workers.push(new FakeWorker(answer));
      return workers.at(-1)!;
    };
    const bark = await BarkWorker.from_pretrained("nano", { worker, onNotice: (line) => notices.push(line) });
    const speaking = bark.stream("Hello").next();
    speaking.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve));
    workers[0].emit("messageerror", {});
    expect((await engineErrorOf(() => speaking)).message).match(/^worker: the worker ended: it sent what/);
    expect(await bark.stream("Hello").next()).deep.equal({ done: true, value: undefined });
    expect(notices).deep.equal([
      "the worker ended: it sent what this page cannot read: the model was loaded in a new one",
    ]);
    expect(workers.map(({ terminated }) => terminated)).deep.equal([true, false]);
  });

  it("refuses what cannot be sent, and a runtime without a worker", async () => {
    const bark = await BarkWorker.from_pretrained("nano", { worker: new FakeWorker(loads) });
    const voice = { semantic_prompt: () => 1 } as never;
    expect((await engineErrorOf(() => bark.generate("Hello", { voice }))).message).match(/cannot be sent to a worker/);
    expect((await engineErrorOf(() => BarkWorker.from_pretrained("nano"))).message).match(/there is no worker/);
  });

  it("sends repositories as they are, and addresses whole", async () => {
    const sent: unknown[] = [];
    for (const source of ["suno/bark-small", "https://example.org/bark"]) {
      const worker = new FakeWorker(loads);
      await BarkWorker.from_pretrained(source, { worker });
      const [load] = worker.requests;
      sent.push(load.kind === "load" && load.model);
    }
    expect(sent).deep.equal(["suno/bark-small", "https://example.org/bark"]);
  });
});
