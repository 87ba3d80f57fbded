/**
 * A number that Python reads as a float. transformers checks the types of a config strictly and refuses a 1 in the place
 * of a 1.0, which in JavaScript are the same number.
 */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): string {
    return `${mark}${Number.isInteger(this.value) ? this.value.toFixed(1) : this.value}`;
  }
}

// A private-use character: no text of a config holds it.
const mark = "\uE000";

/** JSON in which every {@link PythonFloat} has a point. */
export function pythonJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replaceAll(new RegExp(`"${mark}(.*?)"`, "g"), "$1")}\n`;
}
