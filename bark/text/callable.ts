/**
 * What Python's `__call__` is: the instances of a subclass are functions that also have its methods and fields.
 * A constructor's answer takes the place of `this`, private fields included.
 */
export abstract class Callable<F extends (...given: never[]) => unknown> {
  /** @param call gets the instance that is called. */
  constructor(call: (self: never) => F) {
    const instance = (...given: Parameters<F>): unknown => call(instance as never)(...given);
    return Object.setPrototypeOf(instance, new.target.prototype) as this;
  }
}
