import type { LoadedModel } from "../../../speech/worker/protocol.ts";
import { card, h, megabytes } from "../dom.ts";
import { text } from "../text.ts";

/** What computes, and how fast. */
export class MachinePanel {
  readonly element: HTMLElement;
  readonly #facts = {
    adapter: h("dd", {}, text.unknown),
    driver: h("dd", {}, text.unknown),
    memory: h("dd", {}, text.unknown),
    format: h("dd", {}, text.unknown),
    factor: h("dd", { "data-fact": "factor" }, text.unknown),
  };

  constructor() {
    const names = ["adapter", "driver", "memory", "format", "factor"] as const;
    const rows = names.map((name) => h("div", {}, h("dt", {}, text[name]), this.#facts[name]));
    this.element = card(text.machine, h("dl", { class: "facts" }, ...rows));
  }

  show({ adapter, is_software, gpu_bytes, dtype }: LoadedModel): void {
    this.#facts.adapter.textContent = adapter;
    const isHere = gpu_bytes > 0;
    this.#facts.driver.textContent = !isHere ? text.unknown : is_software ? text.driverSoftware : text.driverGpu;
    this.#facts.memory.textContent = isHere ? megabytes(gpu_bytes) : text.unknown;
    this.#facts.format.textContent = dtype;
  }

  showFactor(factor: number): void {
    this.#facts.factor.textContent = text.factorHelp(factor);
  }
}
