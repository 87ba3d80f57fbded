// Text to a WAV file in Deno: deno run -A deno.ts
// Without a package.json beside it, write "npm:bark-webgpu" instead.
import { BarkTTS } from "bark-webgpu";

const tts = await BarkTTS.from_pretrained("nano");
const speech = await tts.generate("Hello, my dog is cute.", { voice: "en_speaker_1", seed: 7 });
await speech.save("dog.wav");
tts.dispose();
