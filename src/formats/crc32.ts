// CRC-32 as in zlib, PNG and IEEE 802.3: polynomial 0x04c11db7 reflected, initial value and final XOR 0xffffffff.

const POLYNOMIAL = 0xedb88320;
/** Bytes that one round of the loop takes in. */
const SLICES = 8;

let tables: Int32Array | undefined;

/** [SLICES][256]: table k gives the effect of a byte that k more bytes follow. */
function makeTables(): Int32Array {
  const t = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    t[byte] = crc;
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
  for (; i < blocks; i += SLICES) {
    c ^= word(bytes, i);
    const d = word(bytes, i + 4);
    c =
      entry(t, 7, c) ^
      entry(t, 6, c >>> 8) ^
      entry(t, 5, c >>> 16) ^
      entry(t, 4, c >>> 24) ^
      entry(t, 3, d) ^
      entry(t, 2, d >>> 8) ^
      entry(t, 1, d >>> 16) ^
      entry(t, 0, d >>> 24);
  }
  for (; i < bytes.length; i++) c = entry(t, 0, c ^ (bytes[i] as number)) ^ (c >>> 8);
  return ~c >>> 0;
}

function word(bytes: Uint8Array, i: number): number {
  const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8);
  return low | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
}

function entry(t: Int32Array, slice: number, byte: number): number {
  return t[slice * 256 + (byte & 255)] as number;
}
