import { h } from "./dom.ts";
import { text } from "./text.ts";

/** The head of both pages. */
export function header(title: string, tagline: string, current: "speak" | "kernels"): HTMLElement {
  const links = [
    ["speak", "./index.html"],
    ["kernels", "./kernels.html"],
  ] as const;
  const items = links.map(([name, href]) =>
    h("a", { href, "aria-current": name === current ? "page" : undefined }, text.pages[name]),
  );
  return h(
    "header",
    {},
    h("a", { href: "#main", class: "skip" }, text.skip),
    h("div", { class: "brand" }, h("img", { src: "icon.svg", alt: "", width: 36, height: 36 }), h("h1", {}, title)),
    h("p", {}, tagline),
    h("nav", { "aria-label": text.pagesLabel }, ...items),
  );
}
