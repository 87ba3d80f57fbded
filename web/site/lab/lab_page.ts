import { allOps, runKernels, type KernelMeasurements, type KernelSelection } from "../../../bench/kernels/run_all.ts";
import type { KernelResult } from "../../../bench/kernels/run.ts";
import { plotKernels } from "../../../bench/report/kernels_plot.ts";
import type { KernelReport } from "../../../bench/report/reports.ts";
import type { Roofline } from "../../../bench/roofline/roofline.ts";
import type { MatrixFormat } from "../../../engine/dtypes.ts";
import { openGpu, type Gpu } from "../../../engine/gpu.ts";
import { Announcer } from "../../element/announcer.ts";
import { explained, obstacleInSight } from "../../obstacles.ts";
import { button, card, h, labelled, options } from "../dom.ts";
import { labText as text } from "../text.ts";
import { ResultTable } from "./result_table.ts";
import { SourceView } from "./source_view.ts";

/** Measures the versions of an op, and shows each as it comes. */
export class LabPage {
  readonly elements: readonly HTMLElement[];
  readonly #op = h("select", { name: "op" }, ...options([...allOps.map((op) => [op, op] as const), ["", text.allOps]]));
  readonly #format = h(
    "select",
    { name: "format" },
    ...options(["f32", "f16", "q8"].map((name) => [name, name] as const)),
  );
  readonly #run = button(text.run, () => void this.#press(), { class: "primary" });
  readonly #stop = button(text.stop, () => this.#stopped?.abort(), { disabled: true });
  readonly #copy = button(text.json, () => void this.#copyJson(), { disabled: true });
  readonly #status = h("p", { role: "status", class: "status" });
  readonly #announcer = new Announcer(this.#status);
  readonly #problem = h("p", { role: "alert", class: "problem", hidden: true });
  readonly #roofline = h("p", { class: "help" });
  readonly #source = new SourceView();
  readonly #table = new ResultTable((result) => void this.#source.show(result, this.#format.value as MatrixFormat));
  readonly #plot = h("div", { class: "plot", tabindex: 0, role: "group", "aria-label": text.plot });
  #stopped: AbortController | undefined;
  #report: KernelReport | undefined;

  constructor() {
    const controls = h("div", { class: "fields" }, labelled(text.op, this.#op), labelled(text.format, this.#format));
    const buttons = h("div", { class: "row" }, this.#run, this.#stop, this.#copy);
    const run = card(text.run, h("p", { class: "help" }, text.intro), controls, buttons, this.#status, this.#problem);
    this.elements = [
      h(
        "div",
        { class: "column" },
        run,
        card(text.results, this.#roofline, this.#table.element),
        card(text.source, this.#source.element),
        card(text.plot, this.#plot),
      ),
    ];
    const obstacle = obstacleInSight();
    if (obstacle === undefined) return;
    this.#run.disabled = true;
    this.#tell(obstacle);
  }

  async #press(): Promise<void> {
    const selection = { ops: [this.#op.value].filter(Boolean), shape: "", format: this.#format.value as MatrixFormat };
    if (selection.format === "q8" && this.#op.value !== "matmul") return this.#tell(text.q8);
    this.#problem.hidden = true;
    const stopped = (this.#stopped = new AbortController());
    this.#showButtons();
    let gpu: Gpu | undefined;
    try {
      gpu = await openGpu();
      await this.#measure(gpu, selection, stopped.signal);
    } catch (error) {
      if (!stopped.signal.aborted) this.#tell(explained(error));
    } finally {
      gpu?.dispose();
      this.#stopped = undefined;
      this.#showButtons();
    }
  }

  async #measure(gpu: Gpu, selection: KernelSelection, signal: AbortSignal): Promise<void> {
    this.#table.clear();
    const results: KernelResult[] = [];
    let roofline: Roofline | undefined;
    const found = await runKernels(gpu, selection, {
      onRoofline: (measured) => {
        roofline = measured;
        const { gigabytesPerSecond, gigaflops, dispatchMicroseconds } = measured;
        const figures = `${gigabytesPerSecond.toFixed(1)} GB/s, ${gigaflops.toFixed(1)} GFLOP/s, ${dispatchMicroseconds.toFixed(1)} µs`;
        this.#roofline.textContent = `${text.roofline} (${gpu.adapterName}): ${figures}`;
      },
      onResult: (result, first) => {
        results.push(result);
        this.#table.add(result, first);
        this.#announcer.say(text.running(result.op, result.shape));
        this.#keep(gpu, selection, { roofline: roofline!, results });
        signal.throwIfAborted();
        if (result.chosen) void this.#source.show(result, selection.format);
      },
    });
    this.#announcer.say(text.done(found.results.length, found.results.filter(({ correct }) => !correct).length));
  }

  #keep(gpu: Gpu, { ops, format }: KernelSelection, measured: KernelMeasurements): void {
    const { adapterName: adapter, isSoftware: software } = gpu;
    const machine = {
      processor: "in a browser",
      cores: navigator.hardwareConcurrency,
      runtime: navigator.userAgent,
      ...{ adapter, software, features: [...gpu.features].sort() },
    };
    this.#report = { command: "kernels", args: [...ops], format, machine, ...measured };
    const svg = new DOMParser().parseFromString(plotKernels(this.#report), "image/svg+xml").documentElement;
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", text.plotLabel);
    this.#plot.replaceChildren(document.importNode(svg, true));
    this.#copy.disabled = false;
  }

  async #copyJson(): Promise<void> {
    await navigator.clipboard.writeText(JSON.stringify(this.#report));
    this.#announcer.say(text.copied);
  }

  #tell(line: string): void {
    this.#problem.textContent = line;
    this.#problem.hidden = false;
  }

  #showButtons(): void {
    this.#run.disabled = this.#stopped !== undefined;
    this.#stop.disabled = this.#stopped === undefined;
  }
}
