import { NdArray } from "../../engine/ndarray.ts";

/** Codes [books, frames] of each row as [batch, books, most frames], shorter rows filled with 0. */
export function joinCodes(rows: readonly Int32Array<ArrayBuffer>[], books: number): NdArray<Int32Array> {
  const most = Math.max(...rows.map((codes) => codes.length)) / books;
  const result = new Int32Array(rows.length * books * most);
  for (const [row, codes] of rows.entries()) {
    const frames = codes.length / books;
    for (let book = 0; book < books; book++)
      result.set(codes.subarray(book * frames, (book + 1) * frames), (row * books + book) * most);
  }
  return new NdArray(result, [rows.length, books, most]);
}
