import { expect } from "chai";
import { proxyAdvice } from "../../../checkpoint/node/proxy_advice.ts";

const hub = new URL("https://huggingface.co/suno/bark");
const proxy = "http://user:s3cret@proxy.example.org:3128";
const [old, young] = [{ node: "20.19.0" }, { node: "24.1.0" }];

describe("advice about a proxy in the environment", () => {
  it("names the variable, not its value, and what this Node can do", () => {
    for (const name of ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
      expect(proxyAdvice(hub, { [name]: proxy }, old)).match(
        new RegExp(
          `^${name} names a proxy, which is not used: with Node 22.21 or 24 set NODE_USE_ENV_PROXY=1 .*HF_END`,
        ),
      );
      expect(proxyAdvice(hub, { [name]: proxy }, young)).match(/not used: set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY$/);
    }
    expect(proxyAdvice(hub, { HTTPS_PROXY: proxy }, { node: "22.20.0" })).match(/with Node 22\.21/);
    expect(proxyAdvice(hub, { HTTPS_PROXY: proxy }, { node: "22.21.0" })).match(/not used: set/);
  });

  it("looks at the proxy where it is used", () => {
    const env = { HTTPS_PROXY: proxy, NODE_USE_ENV_PROXY: "1" };
    expect(proxyAdvice(hub, env, young)).equal("check the network, and the proxy that HTTPS_PROXY names");
    expect(proxyAdvice(hub, env, old)).match(/not used/);
  });

  it("is none without a proxy for the address, and in Deno, which uses it", () => {
    expect(proxyAdvice(hub, {}, old)).equal(undefined);
    expect(proxyAdvice(hub, { HTTPS_PROXY: "" }, old)).equal(undefined);
    expect(proxyAdvice(hub, { HTTP_PROXY: proxy }, old)).equal(undefined);
    expect(proxyAdvice(hub, { HTTPS_PROXY: proxy }, { ...old, deno: "2.9.5" })).equal(undefined);
    for (const NO_PROXY of ["*", "huggingface.co", ".huggingface.co", "localhost, huggingface.co"])
      expect(proxyAdvice(hub, { HTTPS_PROXY: proxy, NO_PROXY }, old), NO_PROXY).equal(undefined);
    for (const no_proxy of ["localhost", "face.co"])
      expect(proxyAdvice(hub, { HTTPS_PROXY: proxy, no_proxy }, old), no_proxy).match(/HTTPS_PROXY/);
  });
});
