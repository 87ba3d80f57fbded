type Value = string | number | boolean | undefined | ((event: Event) => void);

/** An element with attributes (true: present, false or undefined: absent), listeners (`onclick`), and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== undefined && value !== false) element.setAttribute(key, String(value));
  }
  element.append(...children);
  return element;
}

/** A titled part of the page. */
export function card(title: string, ...children: readonly (Node | string)[]): HTMLElement {
  const id = `title-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** A control below its name; the line that explains it is read with it. */
export function labelled(label: string, control: HTMLElement, help = ""): HTMLElement {
  control.id ||= `field-${label.toLowerCase().replaceAll(/\W+/g, "-")}`;
  const name = h("label", { for: control.id }, label);
  if (help === "") return h("div", { class: "field" }, name, control);
  const id = `${control.id}-help`;
  control.setAttribute("aria-describedby", id);
  return h("div", { class: "field" }, name, control, h("p", { id, class: "help" }, help));
}

export function options(entries: readonly (readonly [value: string, label: string])[]): HTMLOptionElement[] {
  return entries.map(([value, label]) => h("option", { value }, label));
}

export function button(label: string, press: () => void, attributes: Readonly<Record<string, Value>> = {}) {
  return h("button", { type: "button", onclick: press, ...attributes }, label);
}

/** Offers a file to the person. */
export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  h("a", { href: address, download: name }).click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

export function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
