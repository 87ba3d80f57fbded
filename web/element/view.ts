import { text } from "../text.ts";

// A sheet that is made by script passes `style-src 'self'`, which forbids `style` attributes and elements.
const css = `
:host { display: block; color-scheme: light dark; font: inherit; }
:host([hidden]), [hidden] { display: none !important; }
[part=controls] { display: flex; flex-wrap: wrap; align-items: center; gap: var(--bark-gap, 0.5rem); margin-block: 0.5rem;
  padding: var(--bark-padding, 0.5rem); border-radius: var(--bark-radius, 0.5rem);
  color: var(--bark-color, CanvasText); background: var(--bark-background, Canvas); border: 1px solid var(--bark-border, GrayText); }
button, a { font: inherit; padding: 0.4em 0.9em; min-block-size: 2.5em; border-radius: var(--bark-radius, 0.5rem); cursor: pointer; }
button { color: inherit; background: transparent; border: 1px solid currentColor; }
[part=button] { color: var(--bark-accent-color, Canvas); background: var(--bark-accent, CanvasText); }
button:disabled { opacity: 0.6; cursor: not-allowed; }
a { color: inherit; display: inline-flex; align-items: center; padding-inline: 0.2em; }
:focus-visible { outline: 3px solid var(--bark-focus, Highlight); outline-offset: 2px; }
input, progress { flex: 1 1 8rem; min-inline-size: 4rem; accent-color: var(--bark-accent, auto); }
[part=status] { flex: 1 0 100%; margin: 0; min-block-size: 1.4em; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`;

/** What a person sees of the element. */
export interface View {
  readonly button: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  readonly seek: HTMLInputElement;
  readonly progress: HTMLProgressElement;
  readonly download: HTMLAnchorElement;
  readonly status: HTMLElement;
}

export function viewIn(root: ShadowRoot): View {
  const view: View = {
    button: made("button", { part: "button", type: "button" }, text.speak),
    stop: made("button", { part: "stop", type: "button" }, text.stop),
    seek: made("input", { part: "seek", type: "range", min: "0", step: "any", "aria-label": text.position }),
    progress: made("progress", { part: "progress", max: "1", "aria-label": text.progress }),
    download: made("a", { part: "download", download: "speech.wav" }, text.download),
    status: made("p", { part: "status", role: "status" }),
  };
  const controls = made("div", { part: "controls", role: "group", "aria-label": text.group });
  controls.append(...Object.values<HTMLElement>({ ...view }));
  const words = made("div", { part: "text" });
  words.append(document.createElement("slot"));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  root.append(words, controls);
  return view;
}

function made<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>>,
  content = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.textContent = content;
  return element;
}
