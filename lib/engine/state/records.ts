import { checksum } from "./columns.ts";

/** Records that are not written yet, one behind the other. */
export class Records {
  #words = new Uint32Array(1024);
  #length = 0;
  #start = 0;

  get byteLength(): number {
    return this.#length * 4;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.byteLength);
  }

  /** Leaves room for length and checksum. */
  begin(type: number): void {
    this.#start = this.#length;
    this.add(0, 0, type);
  }

  add(...numbers: readonly number[]): void {
    this.#reserve(numbers.length);
    for (const number of numbers) {
      this.#words[this.#length++] = number;
    }
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text, "utf8");
    const words = Math.ceil(bytes / 4);
    this.add(bytes);
    this.#reserve(words);
    this.#words.fill(0, this.#length, this.#length + words);
    Buffer.from(this.#words.buffer, this.byteLength, bytes).write(text, "utf8");
    this.#length += words;
  }

  end(): void {
    const payload = this.#start + 2;
    this.#words[this.#start] = (this.#length - payload) * 4;
    this.#words[this.#start + 1] = checksum(this.#words, payload, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#words.length) {
      return;
    }
    const words = new Uint32Array((this.#length + count) * 2);
    words.set(this.#words.subarray(0, this.#length));
    this.#words = words;
  }
}
