import { EngineError } from "../../engine/errors.ts";
import { PickleBytes } from "./pickle_bytes.ts";

/** A global that a pickle may name: a value, or a function that it may call with its own values. */
export class PickleGlobal {
  /** Module and name, such as `torch.FloatStorage`. */
  readonly name: string;
  /** Undefined: it may be passed on, not called. @throws Error whose message says what is wrong with the arguments. */
  readonly call: ((args: readonly unknown[]) => unknown) | undefined;

  constructor(name: string, call?: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}

/** An object whose content nothing here reads, such as a numpy scalar. */
export class IgnoredObject {}

export interface PickleOptions {
  /** The globals that the pickle may name, by module and name. Anything else is refused. */
  globals: ReadonlyMap<string, PickleGlobal>;
  /** The object of a persistent id. @throws Error whose message says what is wrong with it. */
  persistentLoad: (id: unknown) => unknown;
}

/** Far more than any checkpoint needs (a Bark takes 20,000); an empty dictionary is one byte here and 270 in memory. */
const maxOperations = 500_000;
/** No checkpoint has a longer integer. */
const maxIntegerBytes = 64;
const maxShownName = 100;

/**
 * Reads a pickle of protocol 2 to 5 (CPython's Lib/pickletools.py) without executing anything: it can build None,
 * booleans, numbers (beyond 2^53 as bigint), strings, bytes, lists and tuples (arrays), dictionaries (Map), sets (Set),
 * and what the allowed globals make. Operations that `torch.save` does not write are refused.
 * @param where name of the file, for errors.
 * @throws EngineError `bad-input` for anything malformed or not allowed, with its byte offset.
 */
export function readPickle(bytes: Uint8Array, where: string, options: PickleOptions): unknown {
  return new Unpickler(bytes, where, options).run();
}

class Unpickler {
  readonly #input: PickleBytes;
  readonly #options: PickleOptions;
  readonly #stack: unknown[] = [];
  /** Heights of the stack at which lists of unknown length begin. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, where: string, options: PickleOptions) {
    this.#input = new PickleBytes(bytes, where);
    this.#options = options;
  }

  run(): unknown {
    if (this.#input.u8() !== 0x80) throw this.#input.fail("is not a pickle of protocol 2 or later");
    const protocol = this.#input.u8();
    if (protocol < 2 || protocol > 5) throw this.#input.fail(`has the unknown pickle protocol ${protocol}`);
    for (let count = 0; count < maxOperations; count++) {
      const code = this.#input.operation();
      if (code === operationStop) return this.#pop();
      this.#execute(code);
    }
    throw this.#input.fail(`has more than ${maxOperations} operations, too many for a checkpoint`);
  }

  #execute(code: number): void {
    const input = this.#input;
    const stack = this.#stack;
    switch (code) {
      case 0x28: // MARK
        return void this.#marks.push(stack.length);
      case 0x30: // POP
        return void this.#pop();
      case 0x31: // POP_MARK
        return void this.#popToMark();
      case 0x32: // DUP
        return void stack.push(this.#top());
      case 0x4e: // NONE
        return void stack.push(null);
      case 0x88: // NEWTRUE
        return void stack.push(true);
      case 0x89: // NEWFALSE
        return void stack.push(false);
      case 0x4b: // BININT1
        return void stack.push(input.u8());
      case 0x4d: // BININT2
        return void stack.push(input.u16());
      case 0x4a: // BININT
        return void stack.push(input.i32());
      case 0x8a: // LONG1
        return void stack.push(this.#integer(input.u8()));
      case 0x8b: // LONG4
        return void stack.push(this.#integer(input.u32()));
      case 0x47: // BINFLOAT
        return void stack.push(input.f64());
      case 0x8c: // SHORT_BINUNICODE
        return void stack.push(input.text(input.u8()));
      case 0x58: // BINUNICODE
        return void stack.push(input.text(input.u32()));
      case 0x8d: // BINUNICODE8
        return void stack.push(input.text(input.u64()));
      case 0x43: // SHORT_BINBYTES
        return void stack.push(input.bytes(input.u8()));
      case 0x42: // BINBYTES
        return void stack.push(input.bytes(input.u32()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return void stack.push(input.bytes(input.u64()));
      case 0x95: // FRAME
        return input.requireLeft(input.u64());
      case 0x71: // BINPUT
        return void this.#memo.set(input.u8(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(input.u32(), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#get(input.u8());
      case 0x6a: // LONG_BINGET
        return this.#get(input.u32());
      case 0x63: // GLOBAL
        return void stack.push(this.#global(input.line(), input.line()));
      case 0x93: // STACK_GLOBAL
        return this.#stackGlobal();
      case 0x51: // BINPERSID
        return void stack.push(this.#call(() => this.#options.persistentLoad(this.#pop())));
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x62: // BUILD
        return this.#build();
      default:
        return this.#executeContainer(code);
    }
  }

  #executeContainer(code: number): void {
    const stack = this.#stack;
    switch (code) {
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return void stack.push([]);
      case 0x7d: // EMPTY_DICT
        return void stack.push(new Map());
      case 0x8f: // EMPTY_SET
        return void stack.push(new Set());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return void stack.push(this.#popMany(code - 0x84));
      case 0x74: // TUPLE
        return void stack.push(this.#popToMark());
      case 0x91: // FROZENSET
        return void stack.push(new Set(this.#popToMark()));
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x90: {
        // ADDITEMS
        const items = this.#popToMark();
        const set = this.#target(Set<unknown>, "adds to something that is not a set");
        for (const item of items) set.add(item);
        return;
      }
      default:
        throw this.#input.fail(
          `has the operation 0x${code.toString(16).padStart(2, "0")}, which torch.save never writes`,
        );
    }
  }

  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#input.fail("takes more values than it has");
    return this.#stack[this.#stack.length - 1];
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): unknown[] {
    if (this.#stack.length - count < (this.#marks.at(-1) ?? 0)) throw this.#input.fail("takes more values than it has");
    return this.#stack.splice(this.#stack.length - count);
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#input.fail("ends a list that was not begun");
    return this.#stack.splice(mark);
  }

  #target<T>(type: new () => T, message: string): T {
    const target = this.#top();
    if (target instanceof type) return target;
    throw this.#input.fail(message);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#target(Array<unknown>, "appends to something that is not a list");
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    if (items.length % 2 !== 0) throw this.#input.fail("has a key without a value");
    const map = this.#target(Map<unknown, unknown>, "sets items of something that is not a dictionary");
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  #integer(length: number): number | bigint {
    if (length > maxIntegerBytes)
      throw this.#input.fail(`has an integer of ${length} bytes, more than ${maxIntegerBytes}`);
    let value = 0n;
    for (const [i, byte] of this.#input.bytes(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #get(index: number): void {
    if (!this.#memo.has(index)) throw this.#input.fail(`asks for value ${index}, which it has not stored`);
    this.#stack.push(this.#memo.get(index));
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== "string" || typeof name !== "string")
      throw this.#input.fail("names a global by something that is not text");
    this.#stack.push(this.#global(module, name));
  }

  #global(module: string, name: string): PickleGlobal {
    const full = `${module}.${name}`;
    const found = this.#options.globals.get(full);
    if (found !== undefined) return found;
    throw new EngineError("bad-input", `the pickle asks for ${full.slice(0, maxShownName)}, which is not allowed`, {
      where: this.#input.where,
      expected: "tensors and plain values",
      actual: `the name of a Python function or class at byte ${this.#input.operationOffset}`,
      fix: "nothing of it was executed; take the checkpoint from a source that you trust",
    });
  }

  #reduce(): void {
    const [callable, args] = this.#popMany(2);
    if (!(callable instanceof PickleGlobal) || callable.call === undefined)
      throw this.#input.fail("calls something that is not a function");
    if (!Array.isArray(args)) throw this.#input.fail(`calls ${callable.name} without a tuple of arguments`);
    const { call } = callable;
    this.#stack.push(this.#call(() => call(args)));
  }

  /** State of an object, such as the `_metadata` of a state dict: nothing here reads it. */
  #build(): void {
    this.#pop();
    const target = this.#top();
    if (!(target instanceof Map) && !(target instanceof IgnoredObject))
      throw this.#input.fail("gives a state to something that has none");
  }

  #call(work: () => unknown): unknown {
    try {
      return work();
    } catch (error) {
      throw error instanceof EngineError ? error : this.#input.fail((error as Error).message);
    }
  }
}

const operationStop = 0x2e;
