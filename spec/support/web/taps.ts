import type { Page } from "playwright-core";

/**
 * Lets a page keep in `heard` every sample that its AudioWorklets send to the loudspeaker, zeros before the first sound left
 * out. Its policy must allow `script-src blob:`. Call it before the page is opened.
 */
export async function tapLoudspeaker(page: Page): Promise<void> {
  // As a text: tsx would name its functions by a helper that the page lacks.
  await page.addInitScript(`
    globalThis.heard = [];
    const text = \`registerProcessor("hears", class extends AudioWorkletProcessor {
      process([[block]]) { if (block) this.port.postMessage(block.slice()); return true; } })\`;
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const { addModule } = AudioWorklet.prototype;
    AudioWorklet.prototype.addModule = async function (url) {
      await addModule.call(this, address);
      await addModule.call(this, url);
    };
    const { connect } = AudioNode.prototype;
    AudioNode.prototype.connect = function (to, ...more) {
      if (this instanceof AudioWorkletNode && to === this.context.destination) {
        const tap = new AudioWorkletNode(this.context, "hears");
        connect.call(this, tap);
        tap.port.onmessage = ({ data }) => {
          if (heard.length > 0 || data.some((sample) => sample !== 0)) heard.push(...data);
        };
        connect.call(tap, to);
      }
      return connect.call(this, to, ...more);
    };`);
}
