import type { KernelResult } from "../../../bench/kernels/run.ts";
import type { MatrixFormat } from "../../../engine/dtypes.ts";
import type { AnyKernel } from "../../../engine/kernel.ts";
import { formatsOf, loadShader } from "../../../engine/shaders/shader_source.ts";
import { allKernels } from "../../../kernels/index.ts";
import { labKernels } from "../../../kernels/lab.ts";
import { h } from "../dom.ts";
import { labText as text } from "../text.ts";

const kernels = new Map<string, AnyKernel>([...allKernels, ...labKernels].map((kernel) => [kernel.name, kernel]));

/** The WGSL of a version, as the GPU compiles it: preludes first. */
export class SourceView {
  readonly element: HTMLElement;
  readonly #title = h("h3", {}, text.sourceHelp);
  readonly #body = h("div", { class: "column" });
  #asked = 0;

  constructor() {
    this.element = h("div", { class: "column" }, this.#title, this.#body);
  }

  async show({ op, version, kernels: names = [] }: KernelResult, format: MatrixFormat): Promise<void> {
    const asked = ++this.#asked;
    const found = names.flatMap((name) => kernels.get(name) ?? []);
    const sources = await Promise.all(
      found.map(async (kernel) => ({
        name: kernel.name,
        text: (await loadShader(kernel, formatsOf(kernel).includes(format) ? format : "f32")).text,
      })),
    );
    if (asked !== this.#asked) return;
    this.#title.textContent = text.sourceOf(`${op}, ${version}`);
    const texts = sources.map(({ name, text: wgsl }) =>
      h("pre", { tabindex: 0, role: "group", "aria-label": text.sourceOf(name) }, h("code", {}, wgsl)),
    );
    this.#body.replaceChildren(...texts);
  }
}
