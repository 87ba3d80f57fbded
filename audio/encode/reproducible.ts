/**
 * mediabunny draws the serial number of an Ogg stream, and writes the time of day into an MP4. Both go, so that the same
 * sound makes the same bytes: a book that was interrupted equals one that was not, and files can be compared.
 */

/** Sets the serial number of all pages to 1. @param pages whole pages. */
export function withoutSerial(pages: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(pages.buffer, pages.byteOffset, pages.byteLength);
  for (let at = 0, end; at < pages.length; at = end) {
    const segments = pages[at + 26];
    const body = pages.subarray(at + 27, at + 27 + segments).reduce((sum, size) => sum + size, 0);
    end = at + 27 + segments + body;
    view.setUint32(at + 14, 1, true);
    view.setUint32(at + 22, 0, true);
    view.setUint32(at + 22, oggChecksum(pages.subarray(at, end)), true);
  }
  return pages;
}

const checksums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum < 0 ? 0x04c11db7 : 0);
  return sum;
});

/** CRC-32 of RFC 3533: polynomial 0x04c11db7, highest bit first, from 0, not inverted. */
function oggChecksum(page: Uint8Array): number {
  return page.reduce((sum, byte) => (sum << 8) ^ checksums[((sum >>> 24) ^ byte) & 255], 0) >>> 0;
}

/** Boxes of MP4 that hold the times of creation and modification, and those around them (ISO 14496-12). */
const timed = ["mvhd", "tkhd", "mdhd"];
const around = ["moov", "trak", "mdia"];

/** Sets the times of creation and modification to 0. @param boxes whole boxes. */
export function withoutTimes(boxes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(boxes.buffer, boxes.byteOffset, boxes.byteLength);
  for (let at = 0; at + 8 <= boxes.length;) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...boxes.subarray(at + 4, at + 8));
    // After version and flags, two numbers of 32 bits, or in version 1 of 64.
    if (timed.includes(kind)) boxes.fill(0, at + 12, at + (boxes[at + 8] === 1 ? 28 : 20));
    if (around.includes(kind)) withoutTimes(boxes.subarray(at + 8, at + size));
    // 0 and 1 say that the size stands elsewhere, which only the samples need: nothing timed follows them.
    if (size < 8) break;
    at += size;
  }
  return boxes;
}

/**
 * Writes the number of samples into the first bytes of a FLAC file: the last 36 bits before the checksum of STREAMINFO
 * (RFC 9639, 8.2), where a live file has 0 for "unknown". @returns whether they are there.
 */
export function withTotal(bytes: Uint8Array<ArrayBuffer>, samples: number): boolean {
  if (bytes.length < 26) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint8(21, (view.getUint8(21) & 0xf0) | Math.floor(samples / 2 ** 32));
  view.setUint32(22, samples % 2 ** 32);
  return true;
}
