/** Tells the versions of a lab from those of the library in the table. */
const mark = " (lab)";

/** The names of a lab's versions, as `bench kernels` shows them. */
export function labNames(lab: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(lab).map((name) => name + mark);
}

/** What to force for a row of the table: a name of the library's, or the lab's version itself. */
export function rungOf<Name extends string, V>(lab: Readonly<Record<string, V>>, shown: string): Name | V {
  return shown.endsWith(mark) ? lab[shown.slice(0, -mark.length)] : (shown as Name);
}
