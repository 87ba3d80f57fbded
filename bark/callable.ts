/**
 * An object that can be called, as Python's `__call__` makes them: `await model({ … })` is `await model.forward({ … })`.
 * The function takes the place of the object, with the methods of its class; fields, private ones too, are set on it.
 */
export class Callable {
  /** @param call what a call means for an object. Default: its `forward`. */
  constructor(call = (self: never, ...given: never[]): unknown => (self as Forward).forward(...given)) {
    const instance = (...given: unknown[]): unknown => call(instance as never, ...(given as never[]));
    return Object.setPrototypeOf(instance, new.target.prototype) as Callable;
  }
}

interface Forward {
  forward(...given: never[]): unknown;
}
