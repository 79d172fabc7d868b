// The instructions of a WebAssembly binary, as finish.mjs reads them.

/** Opcodes that finish.mjs looks for. Those after SIMD stand behind its prefix. */
export const OP = {
  ...{ BLOCK: 0x02, LOOP: 0x03, IF: 0x04, END: 0x0b },
  ...{ LOCAL_GET: 0x20, LOCAL_SET: 0x21, LOCAL_TEE: 0x22, GLOBAL_GET: 0x23, MEMORY_SIZE: 0x3f },
  ...{ I32_CONST: 0x41, I32_POPCNT: 0x69, I32_ADD: 0x6a, I32_SHR_U: 0x76, SIMD: 0xfd },
};
export const V128_CONST = 12;
export const I32X4_SPLAT = 17;
/** After SIMD, a load of a vector or of all its lanes; not those into one lane of a vector on the stack. */
export const isLoad = (sub) => sub <= 10 || sub === 92 || sub === 93;
const LAST_SIMD = 275; // with relaxed SIMD
const LAST_BULK = 17;

/** Unsigned LEB128 at `at`: [value, offset after it]. */
export function unsigned(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

export function skip(bytes, at, count) {
  for (let left = count; left > 0; left--) while (bytes[at++] >= 0x80);
  return at;
}

/** The offset after the operands at `at` of one of the SIMD instructions. */
function afterSimd(bytes, op, at) {
  if (op > LAST_SIMD) throw new Error(`instruction 0xfd ${op} is not known`);
  if (op === V128_CONST || op === 13) return at + 16;
  if (op >= 21 && op <= 34) return at + 1;
  if (op >= 84 && op <= 91) return skip(bytes, at, 2) + 1;
  return op <= 11 || op === 92 || op === 93 ? skip(bytes, at, 2) : at;
}

/** LEB128 numbers after each instruction of the core specification, version 2.0, that has any; 0x0e, 0x1c, 0x43, 0x44, 0xfc and 0xfd apart. */
function numbersAfter(op) {
  if (op >= 0x28 && op <= 0x3e) return 2;
  if (op === 0x11) return 2;
  if ((op >= 0x02 && op <= 0x04) || op === 0x0c || op === 0x0d || op === 0x10) return 1;
  if ((op >= 0x20 && op <= 0x26) || (op >= 0x3f && op <= 0x42) || op === 0xd0 || op === 0xd2) return 1;
  const plain = [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].includes(op) || (op >= 0x45 && op <= 0xc4);
  if (!plain) throw new Error(`instruction 0x${op.toString(16)} is not known`);
  return 0;
}
const BULK = { 8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1 };

/** Instructions of bytes[at … end): { op, sub, operand, from, to }; `operand` is the first number after it. */
export function instructionsOf(bytes, at, end) {
  const result = [];
  while (at < end) {
    const from = at;
    const op = bytes[at++];
    let sub = 0;
    let operand = 0;
    if (op === OP.SIMD || op === 0xfc) {
      [sub, at] = unsigned(bytes, at);
      if (op !== OP.SIMD && sub > LAST_BULK) throw new Error(`instruction 0xfc ${sub} is not known`);
      at = op === OP.SIMD ? afterSimd(bytes, sub, at) : skip(bytes, at, BULK[sub] ?? 0);
    } else if (op === 0x0e || op === 0x1c) {
      const [count, first] = unsigned(bytes, at);
      at = skip(bytes, first, op === 0x0e ? count + 1 : count);
    } else if (op === 0x43 || op === 0x44) at += op === 0x43 ? 4 : 8;
    else {
      const numbers = numbersAfter(op);
      if (numbers > 0) [operand] = unsigned(bytes, at);
      at = skip(bytes, at, numbers);
    }
    result.push({ op, sub, operand, from, to: at });
  }
  return result;
}
