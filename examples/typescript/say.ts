import { BarkModel, BarkProcessor, EngineError, write_wav, type BarkProgress } from "bark-webgpu";

const show = ({ stage, done, total }: BarkProgress): void => console.log(`${stage}: ${done} of ${total}`);

try {
  const processor = await BarkProcessor.from_pretrained("nano");
  const model = await BarkModel.from_pretrained("nano");
  const inputs = await processor("Hello, my dog is cute.", { voice_preset: "en_speaker_1" });
  const audio: Float32Array = (await model.generate({ ...inputs, seed: 7, on_progress: show })).data;
  await write_wav("dog.wav", model.generation_config.sample_rate, audio);
  model.dispose();
} catch (error) {
  // The message is one line: what is wrong, where, and what to do.
  if (!(error instanceof EngineError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
