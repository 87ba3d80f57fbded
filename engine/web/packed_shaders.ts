/**
 * Texts of shaders by the addresses under which kernels name them. The build of the package fills it, so that a page
 * fetches no shader, and no bundler has to find one.
 */
export const packedShaders: Record<string, string> = {};
