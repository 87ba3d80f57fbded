import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { inspect } from "node:util";
import { withEnvironment } from "../../../checkpoint/node/hub/environment.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("the hub's environment variables", () => {
  const home = path.join(homedir(), ".cache/huggingface/hub");
  const caches: [env: Record<string, string>, folder: string][] = [
    [{}, home],
    [{ HF_HOME: "", XDG_CACHE_HOME: "" }, home],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ HF_HOME: "/h", XDG_CACHE_HOME: "/x" }, "/h/hub"],
    [{ HF_HOME: "~/h" }, path.join(homedir(), "h/hub")],
    [{ HF_HUB_CACHE: "~" }, homedir()],
    [{ HF_HUB_CACHE: "/a~/b" }, "/a~/b"],
    [{ HF_HUB_CACHE: "/a/~" }, "/a/~"],
    [{ HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/h" }, "/old"],
    [{ HF_HUB_CACHE: "/new", HUGGINGFACE_HUB_CACHE: "/old" }, "/new"],
  ];
  for (const [env, folder] of caches)
    it(`${JSON.stringify(env)} put the cache where Python has it`, () =>
      expect(withEnvironment({}, env).cacheDir).equal(path.resolve(folder)));

  it("yield to options", () => {
    const env = { HF_HUB_CACHE: "/c", HF_ENDPOINT: "http://e", HF_TOKEN: "t", HF_HUB_OFFLINE: "1" };
    const fromEnv = { cacheDir: path.resolve("/c"), endpoint: "http://e", token: "t", localFilesOnly: true };
    expect(withEnvironment({}, env)).deep.include(fromEnv);
    const given = { cacheDir: path.resolve("/o"), endpoint: "http://o", token: false, localFilesOnly: false } as const;
    expect(withEnvironment(given, env)).deep.include(given);
  });

  it("say offline as Python understands it", () => {
    for (const value of ["1", "true", "YES", "on"])
      expect(withEnvironment({}, { HF_HUB_OFFLINE: value }).localFilesOnly, value).equal(true);
    for (const value of ["0", "false", ""])
      expect(withEnvironment({}, { HF_HUB_OFFLINE: value }).localFilesOnly, value).equal(false);
    expect(withEnvironment({}, { TRANSFORMERS_OFFLINE: "1" }).localFilesOnly).equal(true);
  });

  it("leave the token to the file that `hf auth login` writes", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "bark-token-"));
    try {
      await writeFile(path.join(folder, "token"), "from-file\n");
      expect(withEnvironment({}, { HF_HOME: folder }).token).equal("from-file");
      expect(withEnvironment({}, { HF_TOKEN_PATH: path.join(folder, "token") }).token).equal("from-file");
      expect(withEnvironment({}, { HF_HOME: folder, HF_TOKEN: "from-env" }).token).equal("from-env");
      expect(withEnvironment({}, { HF_HOME: path.join(folder, "none") }).token).equal(undefined);
      await writeFile(path.join(folder, "token"), "s3cret\0");
      const error = await engineErrorOf(() => withEnvironment({}, { HF_HOME: folder }));
      expect([error.code, error.where]).deep.equal(["usage", path.join(folder, "token")]);
      expect(withEnvironment({ token: false }, { HF_HOME: folder }).token).equal(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("name a proxy, of which advice is given", () => {
    const { adviseOffline } = withEnvironment({}, { all_proxy: "http://proxy" });
    expect(adviseOffline?.(new URL("https://hub.example"))).match(/^all_proxy names a proxy/);
  });

  it("give the token as Python cleans it", () => {
    for (const text of ["t0ken", " t0ken\n", "t0\r\nken\r\n"])
      expect(withEnvironment({}, { HF_TOKEN: text }).token, JSON.stringify(text)).equal("t0ken");
    expect(withEnvironment({}, { HF_TOKEN: "\n", HUGGING_FACE_HUB_TOKEN: "old" }).token).equal("old");
  });

  it("never show an invalid token", async () => {
    for (const token of ["s3cret\0", "s3cret\x1b[2J", "s3c ret", "s3cret\u200b", "Bearer s3cret"])
      for (const [where, call] of [
        ["HF_TOKEN", () => withEnvironment({}, { HF_TOKEN: token })],
        ["HUGGING_FACE_HUB_TOKEN", () => withEnvironment({}, { HUGGING_FACE_HUB_TOKEN: token })],
        ["token", () => withEnvironment({ token }, {})],
      ] as const) {
        const error = await engineErrorOf(call);
        expect([error.code, error.where]).deep.equal(["usage", where]);
        expect(inspect(error, { depth: 9 })).not.match(/s3c/);
      }
  });
});
