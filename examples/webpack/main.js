import { BarkWorker } from "bark-webgpu";

const state = document.querySelector("#state");
const show = ({ stage, done, total }) => (state.textContent = `${stage}: ${done} of ${total}`);

// The bundler takes the worker along. The page stays smooth while it speaks.
const worker = new Worker(new URL("bark-webgpu/worker", import.meta.url), { type: "module" });
try {
  const bark = await BarkWorker.from_pretrained("nano", { worker, on_progress: show });
  const speech = await bark.generate("Hello, my dog is cute.", { voice: "en_speaker_1", seed: 7, on_progress: show });
  document.querySelector("audio").src = URL.createObjectURL(speech.toBlob());
  state.textContent = "done";
} catch (error) {
  state.textContent = error.message;
}
