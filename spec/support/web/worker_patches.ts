import type { Page } from "playwright-core";

/** Runs a text in the workers of a page before Bark does: of the element, and of the site. Not where a page imports their file. */
export async function inWorker(page: Page, script: string): Promise<void> {
  await page.route(/\/(element_)?worker\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      body: `if (typeof document === "undefined") {\n${script};\n}\n${await response.text()}`,
    });
  });
}

export const noAdapter = "GPU.prototype.requestAdapter = async () => null";

/** A device that holds no buffer of more than 100000 bytes. */
export const tooSmall = `
  const { get } = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "limits");
  const limit = (limits, name) => (name === "maxBufferSize" ? 100000 : limits[name]);
  Object.defineProperty(GPUDevice.prototype, "limits", { get() { return new Proxy(get.call(this), { get: limit }); } })`;

/** Devices that are lost when somebody says anything on the channel "lose". */
export const losesDevice = `
  const { requestDevice } = GPUAdapter.prototype;
  let current;
  GPUAdapter.prototype.requestDevice = async function (...more) {
    return (current = await requestDevice.apply(this, more));
  };
  new BroadcastChannel("lose").onmessage = () => current.destroy()`;
