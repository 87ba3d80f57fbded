/** What a generator returns at its end; nobody waits for what it yields on the way. */
export async function resultOf<R>(steps: AsyncGenerator<unknown, R, undefined>): Promise<R> {
  for (;;) {
    const { done, value } = await steps.next();
    if (done === true) return value;
  }
}
