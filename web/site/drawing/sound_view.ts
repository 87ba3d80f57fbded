import { h } from "../dom.ts";
import { text } from "../text.ts";
import { Columns } from "./columns.ts";
import { Spectra } from "./spectrum.ts";

const samplesPerPeak = 256;
const rows = 96;
/** Below twice this many pixels nothing is lost. */
const mostColumns = 4096;

/** Waveform and spectrogram of a sound while it grows, and where it is heard. */
export class SoundView {
  readonly element: HTMLElement;
  readonly #wave = h("canvas", { role: "img", "aria-label": text.waveform, class: "wave" });
  readonly #spectrum = h("canvas", { role: "img", "aria-label": text.spectrogram, class: "spectrum" });
  readonly #head = h("div", { class: "playhead", hidden: true });
  #peaks = new Columns(1, mostColumns);
  #spectra = new Spectra(rows);
  #columns = new Columns(rows, mostColumns / 4);
  #peak = 0;
  #samples = 0;
  #isStale = false;

  /** @param seek is told the place that a person clicks: 0 to 1. */
  constructor(seek: (share: number) => void) {
    this.element = h("div", { class: "sound" }, this.#wave, this.#spectrum, this.#head);
    this.element.addEventListener("click", (event) => {
      const { left, width } = this.element.getBoundingClientRect();
      seek((event.clientX - left) / width);
    });
    new ResizeObserver(() => this.#redraw()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  clear(): void {
    this.#peaks = new Columns(1, mostColumns);
    this.#spectra = new Spectra(rows);
    this.#columns = new Columns(rows, mostColumns / 4);
    [this.#peak, this.#samples] = [0, 0];
    this.place(0);
    this.#redraw();
  }

  push(samples: Float32Array): void {
    for (const sample of samples) {
      this.#peak = Math.max(this.#peak, Math.abs(sample));
      if (++this.#samples % samplesPerPeak !== 0) continue;
      this.#peaks.add([this.#peak]);
      this.#peak = 0;
    }
    this.#spectra.push(samples, (column) => this.#columns.add(column));
    this.#redraw();
  }

  /** @param share of the sound that was heard, 0 to 1. */
  place(share: number): void {
    this.#head.hidden = share <= 0;
    // By the object model: a policy without unsafe-inline forbids the attribute alone.
    this.#head.style.insetInlineStart = `${Math.min(1, share) * 100}%`;
  }

  /** Once a frame at most. A hidden page has none, and draws when it is seen again. */
  #redraw(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    requestAnimationFrame(() => {
      this.#isStale = false;
      this.#drawWave();
      this.#drawSpectrum();
    });
  }

  #drawWave(): void {
    const { context, width, height } = sized(this.#wave);
    const peaks = this.#peaks;
    context.fillStyle = getComputedStyle(this.#wave).color;
    const each = peaks.count / width;
    // Bark speaks softly: the loudest place fills the picture.
    const loudest = Math.max(0.05, peaks.largest(0, 0, peaks.count));
    for (let x = 0; x < width; x++) {
      const peak = Math.max(1 / height, (0.94 * peaks.largest(0, x * each, (x + 1) * each)) / loudest);
      context.fillRect(x, ((1 - peak) * height) / 2, 1, peak * height);
    }
  }

  #drawSpectrum(): void {
    const { context, width, height } = sized(this.#spectrum);
    const { count } = this.#columns;
    if (count === 0) return;
    const image = context.createImageData(count, rows);
    for (let x = 0; x < count; x++)
      for (let row = 0; row < rows; row++) {
        const [red, green, blue] = colourOf(this.#columns.largest(row, x, x + 1));
        image.data.set([red, green, blue, 255], 4 * ((rows - 1 - row) * count + x));
      }
    const small = h("canvas", { width: count, height: rows });
    small.getContext("2d")!.putImageData(image, 0, 0);
    context.drawImage(small, 0, 0, width, height);
  }
}

/** A canvas with as many pixels as it is shown with. */
function sized(canvas: HTMLCanvasElement) {
  const ratio = Math.min(2, devicePixelRatio);
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map((n) =>
    Math.max(1, Math.round(n)),
  );
  [canvas.width, canvas.height] = [width, height];
  return { context: canvas.getContext("2d")!, width, height };
}

/** Dark blue over violet and orange to light yellow: lightness grows with the value, so it reads without colour, too. */
const stops = [
  [4, 6, 24],
  [46, 20, 92],
  [138, 34, 106],
  [222, 78, 66],
  [250, 158, 59],
  [252, 246, 190],
];
const colours = Array.from({ length: 256 }, (_, i) => {
  const at = (i / 256) * (stops.length - 1);
  const [from, to] = [stops[Math.floor(at)], stops[Math.floor(at) + 1]];
  return from.map((channel, c) => Math.round(channel + (to[c] - channel) * (at % 1)));
});

function colourOf(value: number): readonly number[] {
  return colours[Math.max(0, Math.min(255, Math.floor(value * 256)))];
}
