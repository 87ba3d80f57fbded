import { BarkWorker, encode_wav } from "bark-webgpu";

const state = document.querySelector("#state");
const show = ({ stage, done, total }) => (state.textContent = `${stage}: ${done} of ${total}`);

// The bundler takes the worker along. The page stays smooth while it speaks.
const worker = new Worker(new URL("bark-webgpu/worker", import.meta.url), { type: "module" });
try {
  const bark = await BarkWorker.from_pretrained("nano", { worker, on_progress: show });
  const { audio, sampling_rate } = await bark.generate("Hello, my dog is cute.", { seed: 7, on_progress: show });
  const wav = new Blob([encode_wav(sampling_rate, audio)], { type: "audio/wav" });
  document.querySelector("audio").src = URL.createObjectURL(wav);
  state.textContent = "done";
} catch (error) {
  state.textContent = error.message;
}
