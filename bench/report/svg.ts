/** Hand-written SVG: a few shapes, and a page to put them on. */

export const palette = [
  "#3366cc",
  "#dc3912",
  "#109618",
  "#ff9900",
  "#990099",
  "#0099c6",
  "#888888",
  "#b82e2e",
] as const;
export const ink = "#222222";
export const grey = "#cccccc";

type Attributes = Readonly<Record<string, string | number | undefined>>;

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escape(String(value))}"`)
    .join("");
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join("")}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, fill: ink, ...attributes }, escape(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string {
  return element("line", { x1, y1, x2, y2, stroke: ink, ...attributes });
}

/** A rectangle with a tooltip. */
export function bar(x: number, y: number, width: number, height: number, fill: string, tip: string): string {
  return element("rect", { x, y, width: Math.max(0.5, width), height, fill }, element("title", {}, escape(tip)));
}

/** The file: a white page with a title. */
export function page(width: number, height: number, title: string, content: readonly string[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": "sans-serif",
    "font-size": 12,
  };
  const background = element("rect", { width, height, fill: "white" });
  return `${element("svg", attributes, background, text(16, 24, title, { "font-weight": "bold" }), ...content)}\n`;
}

/** Maps [from, to] to [first, last] by logarithm, within these ends. */
export function logScale(from: number, to: number, first: number, last: number): (value: number) => number {
  const span = Math.log(to / from);
  return (value) =>
    first + (last - first) * Math.min(1, Math.max(0, Math.log(Math.max(value, Number.MIN_VALUE) / from) / span));
}

/** Powers of ten from `from` to `to`. */
export function decades(from: number, to: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(from) - 1e-9), Math.floor(Math.log10(to) + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

/** Colours and what they stand for, in a row. */
export function legend(x: number, y: number, entries: readonly (readonly [name: string, colour: string])[]): string {
  let at = x;
  return entries
    .map(([name, colour]) => {
      const entry = bar(at, y - 9, 10, 10, colour, name) + text(at + 14, y, name);
      at += 30 + name.length * 6.8;
      return entry;
    })
    .join("");
}

/** Three digits, as people write them. */
export function digits(value: number): string {
  if (value >= 1000) return Math.round(value).toString();
  return Number(value.toPrecision(3)).toString();
}

function round(value: number): string {
  return Number(value.toFixed(2)).toString();
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
