import { expect } from "chai";
import { openNavigatorAdapter } from "../../../engine/web/navigator_gpu.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("the adapter of a page", () => {
  const replaced = ["navigator", "isSecureContext", "location"] as const;
  const before = replaced.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  afterEach(() => {
    for (const [name, descriptor] of before)
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
  });
  function page(values: Partial<Record<(typeof replaced)[number], unknown>>): void {
    for (const [name, value] of Object.entries(values))
      Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const adapter = (info: unknown): unknown => ({ gpu: { requestAdapter: () => Promise.resolve({ info }) } });
  const fault = async () => await engineErrorOf(() => openNavigatorAdapter({}, "another browser"));

  it("is not shown to a page that came by http:// of another machine: https or localhost", async () => {
    page({ navigator: {}, isSecureContext: false, location: { origin: "http://192.168.0.7:8000" } });
    const error = await fault();
    expect([error.code, error.where]).deep.equal(["no-adapter", "http://192.168.0.7:8000"]);
    expect(error.problem).match(/secure/);
    expect(error.fix).match(/https.*localhost/);
  });

  it("needs another browser where a secure page has none, and where it has no adapter.info", async () => {
    for (const [navigator, says] of [
      [{}, /no WebGPU/],
      [{ gpu: { requestAdapter: () => Promise.resolve(null) } }, /no WebGPU adapter/],
      [adapter(undefined), /too old.*adapter\.info/],
    ] as const) {
      page({ navigator, isSecureContext: true });
      const error = await fault();
      expect([error.code, error.fix]).deep.equal(["no-adapter", "another browser"]);
      expect(error.problem).match(says);
    }
  });

  it("is opened where there is one", async () => {
    page({ navigator: adapter({ description: "a GPU" }), isSecureContext: true });
    expect((await openNavigatorAdapter({}, "")).adapter.info.description).equal("a GPU");
  });
});
