/** An object that can be called: `await model({ … })` is `await model.forward({ … })`, as in transformers. */
export class Callable {
  constructor() {
    const call = (...args: unknown[]): unknown => self.forward(...args);
    // The function takes the place of the object, with the methods of its class; fields are set on it.
    const self = Object.setPrototypeOf(call, new.target.prototype) as Callable & { forward: typeof call };
    return self;
  }
}
