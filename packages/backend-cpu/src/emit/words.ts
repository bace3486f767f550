import { I32 } from "../wasm/encode.js";
import { type FunctionBody, op } from "../wasm/function-body.js";

/** A local variable of 32 bits. */
export class Local {
  constructor(readonly index: number) {}
}

/** A local, a constant, or what pushes a value. */
export type Word = Local | number | (() => void);

/** Arithmetic on addresses and counts, as a function's code is written. */
export class Words {
  constructor(readonly body: FunctionBody) {}

  /** The parameters of the function, all of 32 bits. */
  parameters(count: number): Local[] {
    return Array.from({ length: count }, (_, i) => new Local(i));
  }

  local(): Local {
    return new Local(this.body.local(I32));
  }

  /** A local with this value. */
  let(word: Word): Local {
    const local = this.local();
    this.set(local, word);
    return local;
  }

  set(local: Local, word: Word): void {
    this.push(word);
    this.body.set(local.index);
  }

  push(word: Word): void {
    if (word instanceof Local) this.body.get(word.index);
    else if (typeof word === "number") this.body.i32(word);
    else word();
  }

  /** The word of memory that lies so many bytes behind an address. */
  at(address: Word, offset: number): Word {
    return () => {
      this.push(address);
      this.body.load(I32, offset);
    };
  }

  add(...words: Word[]): Word {
    return this.fold(words, op.i32Add);
  }

  mul(...words: Word[]): Word {
    return this.fold(words, op.i32Mul);
  }

  sub(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Sub);
  }

  div(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Div);
  }

  remainder(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Remainder);
  }

  /** `a / b`, rounded up. */
  divUp(a: Word, b: Word): Word {
    return this.div(this.add(a, this.sub(b, 1)), b);
  }

  /** `a`, rounded up to a multiple of a power of two. */
  roundUp(a: Word, power: number): Word {
    return this.and(this.add(a, power - 1), -power);
  }

  and(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32And);
  }

  or(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Or);
  }

  isBelow(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Lt);
  }

  isEqual(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Eq);
  }

  isNot(a: Word, b: Word): Word {
    return this.fold([a, b], op.i32Ne);
  }

  /** `condition ? a : b`, both of which are computed. */
  choose(condition: Word, a: Word, b: Word): Word {
    return () => {
      for (const word of [a, b, condition]) this.push(word);
      this.body.put(op.select);
    };
  }

  /** The lesser; both are computed twice. */
  min(a: Word, b: Word): Word {
    return this.choose(this.isBelow(a, b), a, b);
  }

  max(a: Word, b: Word): Word {
    return this.choose(this.isBelow(a, b), b, a);
  }

  advance(local: Local, step: Word): void {
    this.set(local, this.add(local, step));
  }

  when(condition: Word, then: () => void, otherwise?: () => void): void {
    const { body } = this;
    this.push(condition);
    body.put(op.if, op.void);
    then();
    if (otherwise !== undefined) {
      body.put(op.else);
      otherwise();
    }
    body.put(op.end);
  }

  /** `do { inner() } while (condition)` */
  repeat(inner: () => void, condition: Word): void {
    this.body.repeat(inner, () => this.push(condition));
  }

  /** `for (x = from; x < to; x += step)`, with `from < to` checked once. */
  loop(x: Local, from: Word, to: Word, step: Word, inner: () => void): void {
    this.set(x, from);
    this.when(this.isBelow(x, to), () =>
      this.repeat(
        () => {
          inner();
          this.advance(x, step);
        },
        this.isBelow(x, to),
      ),
    );
  }

  call(index: number, ...words: Word[]): void {
    for (const word of words) this.push(word);
    this.body.call(index);
  }

  private fold(words: readonly Word[], opcode: number): Word {
    return () => {
      words.forEach((word, i) => {
        this.push(word);
        if (i > 0) this.body.put(opcode);
      });
    };
  }
}
