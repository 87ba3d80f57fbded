/**
 * Texts of shaders by the addresses under which kernels name them. The build of the package fills it, so that a page
 * fetches no shader, and no bundler has to find one.
 */
export const packedShaders: Record<string, string> = {};

/** Which of them come in a part that is loaded when it is asked for: the others of a page's adapter never are. */
export const shadersLater: (readonly [address: RegExp, load: () => Promise<{ texts: Record<string, string> }>])[] = [];
