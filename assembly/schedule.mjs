// The order of a binary's instructions, where the processor's speed hangs on it and the compiler's source cannot say it.
//
// A row of a tile takes two products and two sums, c0 += w·a0 and c1 += w·a1. asc writes them as product, sum, product, sum, in whatever
// order the source has them: its optimizer moves a value that is used once to its use. V8 from 13 on keeps that order, and so does the
// processor when it deals instructions out to its units. Here both products come first: on Zen 4 a tile written in assembly goes from 5.15 to
// 4.04 cycles a column, of the 4 that its arithmetic takes; what the library gains stands in docs/performance.md.
//
// And where the source counts the bits of a global, which it does with the zero of `never` in lanes.ts alone, the binary counts those of the
// constant 0: V8 from 13 on does that when it compiles, and leaves out the tests against it; V8 12, which needs them, does not. Of a constant in
// the source asc would.

const [LOCAL_GET, LOCAL_SET, LOCAL_TEE, I32_CONST, I32_ADD, SIMD] = [0x20, 0x21, 0x22, 0x41, 0x6a, 0xfd];
const [GLOBAL_GET, I32_POPCNT] = [0x23, 0x69];
const CODE_SECTION = 10;
const HEADER_BYTES = 8;
/** Of the instructions after SIMD, the product of f32x4 and of f64x2, and its sum. */
const PRODUCTS = { 230: 228, 242: 240 };
const isLoad = (op) => op <= 10 || op === 92 || op === 93;
const LAST_SIMD = 275; // with relaxed SIMD
const LAST_BULK = 17;

/** Unsigned LEB128 at `at`: [value, offset after it]. */
function unsigned(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function skip(bytes, at, count) {
  for (let left = count; left > 0; left--) while (bytes[at++] >= 0x80);
  return at;
}

/** The offset after the operands at `at` of one of the SIMD instructions. */
function afterSimd(bytes, op, at) {
  if (op > LAST_SIMD) throw new Error(`schedule: instruction 0xfd ${op} is not known`);
  if (op === 12 || op === 13) return at + 16;
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
  if (!plain) throw new Error(`schedule: instruction 0x${op.toString(16)} is not known`);
  return 0;
}
const BULK = { 8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1 };

/** Instructions of bytes[at … end): { op, sub, operand, from, to }; `operand` is the first number after it. */
function instructionsOf(bytes, at, end) {
  const result = [];
  while (at < end) {
    const from = at;
    const op = bytes[at++];
    let sub = 0;
    let operand = 0;
    if (op === SIMD || op === 0xfc) {
      [sub, at] = unsigned(bytes, at);
      if (op !== SIMD && sub > LAST_BULK) throw new Error(`schedule: instruction 0xfc ${sub} is not known`);
      at = op === SIMD ? afterSimd(bytes, sub, at) : skip(bytes, at, BULK[sub] ?? 0);
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

/**
 * The statement c ← c + product that begins with the i-th instruction, where its operands are locals, sums of addresses and loads:
 * { c, sum, next, uses }, the number of c, of its addition and of the instruction after it, and the locals that it reads and writes besides.
 * It takes nothing from the stack that it did not put there, and leaves nothing.
 */
function statementAt(code, i) {
  if (code[i].op !== LOCAL_GET) return undefined;
  const c = code[i].operand;
  const uses = new Set();
  let height = 0; // of the stack, above c
  for (let j = i + 1; j + 2 < code.length; j++) {
    const { op, sub, operand } = code[j];
    if (op === LOCAL_GET || op === LOCAL_TEE) uses.add(operand);
    if (op === SIMD && sub in PRODUCTS) {
      const [sum, set] = [code[j + 1], code[j + 2]];
      const ends = sum.op === SIMD && sum.sub === PRODUCTS[sub] && set.op === LOCAL_SET && set.operand === c;
      return ends && height === 2 ? { c, sum: j + 1, next: j + 3, uses } : undefined;
    }
    const load = op === SIMD && isLoad(sub);
    if (op === LOCAL_GET || op === I32_CONST) height++;
    else if (op === I32_ADD && height >= 2) height--;
    else if (!((op === LOCAL_TEE || load) && height >= 1)) return undefined;
  }
  return undefined;
}

/** The code of a function body with both products of a pair of statements before both sums, as many bytes. */
function reordered(bytes, at, end) {
  const code = instructionsOf(bytes, at, end);
  const parts = [];
  let pairs = 0;
  const take = (from, to) => parts.push(bytes.subarray(code[from].from, code[to - 1].to));
  for (let i = 0; i < code.length; ) {
    const one = statementAt(code, i);
    const two = one && one.next < code.length ? statementAt(code, one.next) : undefined;
    if (!two || one.c === two.c || two.uses.has(one.c)) {
      take(i, i + 1);
      i++;
      continue;
    }
    // c0, product, c1, product on the stack; then c1's sum, and c0's.
    take(i, one.sum);
    take(one.next, two.next);
    take(one.sum, one.next);
    pairs++;
    i = two.next;
  }
  return { parts, pairs };
}

/** Bits of a global → bits of 0, in bytes[at … end), as many bytes. Returns how many. */
function zeros(bytes, at, end) {
  const code = instructionsOf(bytes, at, end);
  let count = 0;
  for (const [i, { op }] of code.entries()) {
    const before = code[i - 1];
    if (op !== I32_POPCNT || before?.op !== GLOBAL_GET) continue;
    bytes.fill(0x80, before.from + 1, before.to - 1);
    bytes[before.from] = I32_CONST;
    bytes[before.to - 1] = 0;
    count++;
  }
  return count;
}

/**
 * A copy of the binary with products of neighbouring sums side by side: the same operations on the same numbers, so the same bits. `pairs` says how many,
 * `zeros` of how many globals bits were counted.
 *
 * @throws Error for an instruction that the core specification, version 2.0 with relaxed SIMD, does not have
 */
export function schedule(bytes) {
  const result = new Uint8Array(bytes);
  let total = 0;
  let constants = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const id = bytes[at];
    const [size, start] = unsigned(bytes, at + 1);
    at = start + size;
    if (id !== CODE_SECTION) continue;
    let [count, from] = unsigned(bytes, start);
    for (; count > 0; count--) {
      const [length, body] = unsigned(bytes, from);
      from = body + length;
      let [groups, code] = unsigned(bytes, body);
      for (; groups > 0; groups--) code = skip(bytes, code, 2);
      const { parts, pairs } = reordered(bytes, code, from);
      let to = code;
      for (const part of parts) {
        result.set(part, to);
        to += part.length;
      }
      if (to !== from) throw new Error("schedule: expected a body of the same length");
      total += pairs;
      constants += zeros(result, code, from);
    }
  }
  return { bytes: result, pairs: total, zeros: constants };
}
