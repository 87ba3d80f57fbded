/** Gives libraries that look for a browser one whose `navigator.gpu` finds what `requestAdapter` gives. */
export function offerNavigator(requestAdapter: () => Promise<GPUAdapter>): void {
  const navigator = {
    gpu: { requestAdapter, getPreferredCanvasFormat: () => "bgra8unorm" },
    userAgent: "Chrome/150 Linux",
    hardwareConcurrency: 2,
    platform: "Linux",
  };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
}
