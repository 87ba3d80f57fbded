export const parts: Readonly<Record<string, { readonly mutate: readonly string[]; readonly specs: readonly string[] }>>;
