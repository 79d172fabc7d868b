// CRC-32 as in zlib, PNG and IEEE 802.3: polynomial 0x04c11db7 reflected, initial value and final XOR 0xffffffff.

const POLYNOMIAL = 0xedb88320;
/** Bytes that one round of the loop takes in. */
const SLICES = 8;

let tables: Int32Array | undefined;

/**
 * [SLICES][256]: table k gives the effect of a byte that k more bytes follow. The effect of a sum of bits is the sum of their effects: 256 steps
 * instead of eight for each byte.
 */
function makeTables(): Int32Array {
  const t = new Int32Array(SLICES * 256);
  for (let bit = 128, crc = 1; bit > 0; bit >>= 1) {
    crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    for (let i = 0; i < 256; i += 2 * bit) t[bit + i] = crc ^ (t[i] as number);
  }
  for (let i = 256; i < t.length; i++) {
    const crc = t[i - 256] as number;
    t[i] = (crc >>> 8) ^ (t[crc & 255] as number);
  }
  return t;
}

/** The checksum of `bytes`, 0…2³²−1; `crc` is the checksum of the bytes before them. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  tables ??= makeTables();
  const t = tables;
  const blocks = bytes.length - (bytes.length % SLICES);
  let c = ~crc;
  let i = 0;
  // Without functions for a word and an entry, which the first file of a process would call uncompiled.
  for (; i < blocks; i += SLICES) {
    c =
      (t[1792 + ((c ^ (bytes[i] as number)) & 255)] as number) ^
      (t[1536 + (((c >>> 8) ^ (bytes[i + 1] as number)) & 255)] as number) ^
      (t[1280 + (((c >>> 16) ^ (bytes[i + 2] as number)) & 255)] as number) ^
      (t[1024 + ((c >>> 24) ^ (bytes[i + 3] as number))] as number) ^
      (t[768 + (bytes[i + 4] as number)] as number) ^
      (t[512 + (bytes[i + 5] as number)] as number) ^
      (t[256 + (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number);
  }
  for (; i < bytes.length; i++) c = (t[(c ^ (bytes[i] as number)) & 255] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
