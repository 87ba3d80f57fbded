import { expect } from "chai";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { parseServe } from "../../cli/serve_options.ts";
import { bark, lines } from "../support/bark_command.ts";
import { serve as listen } from "../support/loopback.ts";
import { freePort } from "../queue/redis_server.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { bytesOf, good, post } from "../support/server/requests.ts";

/** A checkpoint that loads and speaks in half the time of nano. */
const small = path.resolve("spec/fixtures/torch/suno");

describe("bark serve", () => {
  it("says where it is and how to try it, speaks, and ends with 0 when it is told to", async () => {
    let child: ChildProcess;
    const run = bark(["serve", "--port", "0", "-m", small], {
      env: { BARK_API_KEY: "s3same" },
      onStart: (started) => (child = started),
    });
    const ready = ((await once(child!.stdout!, "data")) as [Buffer])[0].toString();
    const [, url] =
      /^(http:\/\/127\.0\.0\.1:\d+)\/v1 speaks with suno; try: curl .*\$BARK_API_KEY.* -d '\{"model"/.exec(ready)!;
    const init = { headers: { Authorization: "Bearer s3same" } };
    const response = await post(url, { ...good, seed: 3, semantic_max_new_tokens: 4, response_format: "wav" }, init);
    expect([response.status, response.headers.get("x-bark-seed")]).deep.equal([200, "3"]);
    expect((await bytesOf(response)).length, "more than a header").above(44);
    expect((await post(url, good)).status).equal(401);
    child!.kill("SIGTERM");
    const { code, stdout, stderr } = await run;
    expect(code, stderr).equal(0);
    expect(lines(stdout)).have.length(1);
    const logged = lines(stderr).filter((line) => line.startsWith("{"));
    expect(logged.map((line) => (JSON.parse(line) as { status: number }).status)).deep.equal([200, 401]);
    expect(stderr).not.match(/s3same|Hello/);
  });

  const refused: [string, string[], RegExp][] = [
    [
      "a host that others reach, without a key",
      ["--host", "0.0.0.0"],
      /--host 0\.0\.0\.0: .*nobody is asked for a key.*BARK_API_KEY/,
    ],
    ["a key and no key", ["--api-key", "k", "--no-auth"], /--no-auth/],
    ["a key of two words", ["--api-key", "a b"], /--api-key: .*without spaces/],
    ["a folder without a page", ["--web", "spec"], /--web spec: holds no index\.html/],
    ["an origin with a path", ["--cors", "https://a.example/x"], /--cors: wrong value/],
    ["an argument", ["now"], /wrong number of arguments/],
    ["a misspelt flag", ["--prot", "1"], /--prot: no such flag; did you mean "--port"\?/],
    ["a queue without a store", ["--queue", "redis://localhost"], /--queue: .*needs --store/],
    ["a store without a queue", ["--store", "s"], /--store: .*needs --queue/],
    ["a length without a farm", ["--farm-from", "500"], /--farm-from: .*needs --queue/],
    ["a length of nothing", ["--queue", "redis://h", "--store", "s", "--farm-from", "0"], /--farm-from: wrong value/],
    ["a port that is none", ["--port", "70000"], /--port: wrong value/],
  ];
  for (const [what, args, line] of refused)
    it(`refuses ${what}`, async () => {
      const error = await engineErrorOf(() => parseServe(args));
      expect(error.code).equal("usage");
      expect(error.message).match(line);
    });

  it("refuses what does not fit the checkpoint in one line, before weights are read", async () => {
    const { code, stderr, stdout } = await bark(["serve", "--port", "0", "--voices-map", "me=none"]);
    expect([code, lines(stderr).length, stdout], stderr).deep.equal([2, 1, ""]);
    expect(stderr).match(/me=none: is no voice.*en_speaker_0/);
  });

  it("ends in one line where no Redis answers, before weights are read", async () => {
    const port = await freePort();
    const args = ["--queue", `redis://:s3same@127.0.0.1:${port}`, "--store", "nowhere"];
    const { code, stderr, stdout } = await bark(["serve", "--port", "0", ...args]);
    expect([code, lines(stderr).length, stdout], stderr).deep.equal([1, 1, ""]);
    expect(stderr).match(/redis:\/\/127\.0\.0\.1:\d+: no Redis answers/);
    expect(stderr).not.include("s3same");
  });

  it("names a port that is in use", async () => {
    const other = await listen(() => undefined);
    const { code, stderr } = await bark(["serve", "--port", new URL(other.url).port]);
    expect([code, lines(stderr).length]).deep.equal([1, 1]);
    expect(stderr).match(/127\.0\.0\.1:\d+: the port is in use; give another --port/);
    await other.close();
  });
});
