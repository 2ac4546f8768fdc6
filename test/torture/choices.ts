import { createHash } from "node:crypto";

/**
 * Choices that the same seed makes again. A seed is any text: each case of a run has one of its own, made of
 * the run's.
 */
export class Choices {
  readonly #seed: string;
  #block = 0;
  #numbers: number[] = [];

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A whole number from 0 up to, and not, `below`. */
  number(below: number): number {
    if (this.#numbers.length === 0) {
      const bytes = createHash("sha256").update(`${this.#seed} ${this.#block++}`).digest();
      this.#numbers = Array.from({ length: 8 }, (_, index) => bytes.readUInt32LE(index * 4));
    }
    return this.#numbers.pop()! % below;
  }

  chance(probability: number): boolean {
    return this.number(1_000_000) < probability * 1_000_000;
  }

  one<T>(of: readonly T[]): T {
    return of[this.number(of.length)]!;
  }

  /** Up to `most` different members, in their order. */
  some<T>(of: readonly T[], most: number): T[] {
    const left = [...of];
    const taken: readonly T[] = Array.from(
      { length: Math.min(this.number(most + 1), left.length) },
      () => left.splice(this.number(left.length), 1)[0] as T,
    );
    return of.filter((one: T) => taken.includes(one));
  }
}
