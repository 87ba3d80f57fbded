/** The bundled text of `bark-webgpu/worker`. The build of the package fills it; in a checkout there is none. */
export const workerText: string | undefined = undefined;
