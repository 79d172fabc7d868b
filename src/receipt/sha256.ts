// SHA-256 (FIPS 180-4), by the platform where it has it: pages that came without encryption do not.

interface Subtle {
  digest(algorithm: "SHA-256", data: Uint8Array): Promise<ArrayBuffer>;
}

/** Of `bytes`, in 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const { crypto } = globalThis as { crypto?: { subtle?: Subtle } };
  const digest = await crypto?.subtle?.digest("SHA-256", bytes);
  return digest === undefined ? plainSha256(bytes) : hex(new Uint8Array(digest));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Kₜ (section 4.2.2): the first 32 bits of the fractions of the cube roots of the first 64 primes. */
const K = Int32Array.from(
  (
    "428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5d807aa9812835b01243185be550c7dc372be5d7480deb1fe" +
    "9bdc06a7c19bf174e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da983e5152a831c66db00327c8bf597fc7" +
    "c6e00bf3d5a7914706ca63511429296727b70a852e1b21384d2c6dfc53380d13650a7354766a0abb81c2c92e92722c85a2bfe8a1a81a664b" +
    "c24b8b70c76c51a3d192e819d6990624f40e3585106aa07019a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3" +
    "748f82ee78a5636f84c878148cc7020890befffaa4506cebbef9a3f7c67178f2"
  ).match(/.{8}/g) as string[],
  (word) => Number.parseInt(word, 16),
);

/** H⁽⁰⁾ (section 5.3.3): the same of the square roots of the first 8. */
const H = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

const rotr = (x: number, n: number) => (x >>> n) | (x << (32 - n));

/** What follows `length` bytes (section 5.1.1): a bit 1, zeros up to a multiple of 64 bytes, in the last 8 the length in bits. */
export function padding(length: number): Uint8Array {
  const bytes = new Uint8Array(64 - ((length + 8) % 64) + 8);
  bytes[0] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(bytes.length - 4, length << 3);
  return bytes;
}

/** As many of `length` bytes as fill blocks; no bit operation, as there may be 2³¹ bytes and more. */
export function wholeBlocks(length: number): number {
  return length - (length % 64);
}

/** The same without the platform. */
export function plainSha256(bytes: Uint8Array): string {
  const hash = Int32Array.from(H);
  const words = new Int32Array(64);
  const whole = wholeBlocks(bytes.length);
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += 64) block(hash, words, from, at);
  const rest = bytes.subarray(whole);
  const last = Uint8Array.of(...rest, ...padding(bytes.length));
  const end = new DataView(last.buffer);
  for (let at = 0; at < last.length; at += 64) block(hash, words, end, at);
  return Array.from(hash, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Section 6.2.2: hash [8] goes on with 64 bytes of `data`; words [64] is room. */
function block(hash: Int32Array, words: Int32Array, data: DataView, at: number): void {
  for (let t = 0; t < 16; t++) words[t] = data.getInt32(at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const [w15, w2] = [words[t - 15] as number, words[t - 2] as number];
    const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >>> 3);
    const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >>> 10);
    words[t] = (words[t - 16] as number) + s0 + (words[t - 7] as number) + s1;
  }
  let [a, b, c, d] = [hash[0] as number, hash[1] as number, hash[2] as number, hash[3] as number];
  let [e, f, g, h] = [hash[4] as number, hash[5] as number, hash[6] as number, hash[7] as number];
  for (let t = 0; t < 64; t++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (words[t] as number)) | 0;
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) hash[i] = (hash[i] as number) + (sums[i] as number);
}
