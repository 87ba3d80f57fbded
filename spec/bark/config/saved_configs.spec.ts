import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as configs from "../../../bark/config/config.ts";
import { EncodecConfig } from "../../../bark/config/config.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import type { PreTrainedConfig } from "../../../engine/check/pretrained_config.ts";
import "../../../engine/node/index.ts";
import "../../../checkpoint/node/index.ts";
import { engineErrorOf } from "../../support/rejection.ts";

interface Case {
  readonly class: "BarkSemanticConfig" | "BarkCoarseConfig" | "BarkFineConfig" | "EncodecConfig" | "BarkConfig";
  readonly fields: JsonObject;
  readonly dict: JsonObject;
  readonly diff: string;
  readonly whole: string;
}

const cases = JSON.parse(readFileSync("spec/fixtures/configs/configs.json", "utf8")) as Case[];

describe("configs as transformers writes them", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const { class: name, fields, dict, diff, whole } of cases)
    it(`${name} of ${JSON.stringify(fields).slice(0, 70)}: to_dict, to_json_string, from_dict, save_pretrained`, async () => {
      const Config = configs[name];
      const config = new Config(fields);
      expect(config.to_dict()).to.deep.equal(dict);
      expect(config.to_json_string()).to.equal(diff);
      expect(config.to_json_string(false)).to.equal(whole);
      expect(Config.from_dict(dict)).to.deep.equal(config);
      await config.save_pretrained(folder);
      expect(readFileSync(path.join(folder, "config.json"), "utf8")).to.equal(diff);
      const saved: PreTrainedConfig = await Config.from_pretrained(folder);
      // As in transformers, a file does not say from where a config was loaded.
      expect({ ...saved.to_dict(), _name_or_path: dict["_name_or_path"] }).to.deep.equal(dict);
    });

  it("keep as properties what is no field, and read it from files too", () => {
    for (const name of ["BarkSemanticConfig", "EncodecConfig", "BarkConfig"] as const) {
      const config = new configs[name]({ my_note: [1] });
      expect(config).to.have.deep.property("my_note", [1]);
      expect(configs[name].from_dict({ hiden_size: 3 })).to.have.property("hiden_size", 3);
    }
  });

  it("refuse a name that a config has for something else", async () => {
    for (const name of ["to_dict", "save_pretrained", "hop_length", "__proto__"]) {
      const fields = JSON.parse(`{"${name}": 1}`) as JsonObject;
      const error = await engineErrorOf(() => new EncodecConfig(fields));
      expect(error.toLine()).to.match(new RegExp(`^EncodecConfig: ${name} is no field of EncodecConfig`));
      const inFile = await engineErrorOf(() => EncodecConfig.from_dict(fields, "f.json"));
      expect([inFile.code, inFile.where]).to.deep.equal(["bad-input", "f.json"]);
    }
  });

  it("of a codec are not those of another model", async () => {
    writeFileSync(path.join(folder, "config.json"), JSON.stringify({ model_type: "semantic" }));
    const error = await engineErrorOf(() => EncodecConfig.from_pretrained(folder));
    expect(error.toLine()).to.match(/config\.json: wrong value of "model_type" \(expected "encodec", got "semantic"\)/);
  });
});
