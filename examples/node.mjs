// Text to a WAV file in Node: npm install bark-webgpu && node node.mjs
import { BarkTTS } from "bark-webgpu";

const tts = await BarkTTS.from_pretrained("nano"); // or "suno/bark-small", from the hub
const speech = await tts.generate("Hello, my dog is cute.", { voice: "en_speaker_1", seed: 7 });
await speech.save("dog.wav");
tts.dispose();
