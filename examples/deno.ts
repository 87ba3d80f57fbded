// Text to a WAV file in Deno: deno run -A deno.ts
// Without a package.json beside it, write "npm:bark-webgpu" instead.
import { BarkModel, BarkProcessor, write_wav } from "bark-webgpu";

const processor = await BarkProcessor.from_pretrained("nano");
const model = await BarkModel.from_pretrained("nano");
const inputs = await processor("Hello, my dog is cute.", { voice_preset: "en_speaker_1" });
const audio = await model.generate({ ...inputs, seed: 7 });
await write_wav("dog.wav", model.generation_config.sample_rate, audio);
model.dispose();
