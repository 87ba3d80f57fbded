import { BarkTTS, EngineError, type BarkProgress } from "bark-webgpu";

const show = ({ stage, done, total }: BarkProgress): void => console.log(`${stage}: ${done} of ${total}`);

try {
  const tts = await BarkTTS.from_pretrained("nano");
  const speech = await tts.generate("Hello, my dog is cute.", { voice: "en_speaker_1", seed: 7, on_progress: show });
  await speech.save("dog.wav");
  tts.dispose();
} catch (error) {
  // The message is one line: what is wrong, where, and what to do.
  if (!(error instanceof EngineError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
