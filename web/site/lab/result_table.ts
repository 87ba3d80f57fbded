import type { KernelResult } from "../../../bench/kernels/run.ts";
import { digits } from "../../../bench/report/svg.ts";
import { button, h } from "../dom.ts";
import { labText as text } from "../text.ts";

/** The ladder as a table: a row for each version, in the order in which they were checked. */
export class ResultTable {
  readonly element: HTMLElement;
  readonly #body = h("tbody");
  #before: KernelResult | undefined;
  readonly #show: (result: KernelResult) => void;

  /** @param show is told the version whose source a person wants. */
  constructor(show: (result: KernelResult) => void) {
    this.#show = show;
    const [shape, version, ...numbers] = text.columns;
    const heads = [
      ...[shape, version].map((name) => h("th", { scope: "col" }, name)),
      ...numbers.map((name) => h("th", { scope: "col", class: "number" }, name)),
    ];
    const table = h("table", {}, h("thead", {}, h("tr", {}, ...heads)), this.#body);
    this.element = h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": text.results }, table);
  }

  clear(): void {
    this.#body.replaceChildren();
    this.#before = undefined;
  }

  /** @param first the plainest version at this shape. */
  add(result: KernelResult, first: KernelResult): void {
    const { op, shape, version, chosen, correct } = result;
    const label = `${text.sourceOf(`${op} ${version}`)}${chosen ? `: ${text.chosen}` : ""}`;
    const name = button(`${version}${chosen ? " ✓" : ""}`, () => this.#show(result), {
      "aria-label": label,
      title: chosen ? text.chosen : undefined,
    });
    const figures = figuresOf(result, result === first ? first : (this.#before ?? first), first);
    this.#before = result;
    this.#body.append(
      h(
        "tr",
        { "data-first": result === first, "data-wrong": !correct },
        h("th", { scope: "row" }, `${op}: ${shape}`),
        h("td", {}, name),
        ...figures.map((figure) => h("td", { class: "number" }, figure)),
      ),
    );
  }
}

function figuresOf(result: KernelResult, before: KernelResult, first: KernelResult): string[] {
  const { timing, gigaflops = 0, gigabytesPerSecond = 0, share = 0, error } = result;
  if (timing === undefined) return [text.wrong, "", "", "", "", "", error.toExponential(1)];
  const { median } = timing.milliseconds;
  return [
    digits(median),
    gigaflops > 0 ? digits(gigaflops) : "",
    digits(gigabytesPerSecond),
    `${digits(share * 100)} %`,
    gain(median, before),
    gain(median, first),
    error.toExponential(0),
  ];
}

/** How many times as fast as another version; nothing where that one is wrong. */
function gain(milliseconds: number, { timing }: KernelResult): string {
  return timing === undefined ? "" : `${(timing.milliseconds.median / milliseconds).toFixed(2)}×`;
}
