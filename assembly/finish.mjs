// What is done to a binary after the compiler, where speed or size hang on something that its source cannot say. The same operations on the
// same numbers, so the same bits.
//
// Products first. A row of a tile takes two products and two sums, c0 += w·a0 and c1 += w·a1. asc writes them as product, sum, product, sum, in
// whatever order the source has them: its optimizer moves a value that is used once to its use. V8 from 13 on keeps that order, and so does the
// processor when it deals instructions out to its units. Here both products come first: on Zen 4 a tile written in assembly goes from 5.15 to
// 4.04 cycles a column, of the 4 that its arithmetic takes; what the library gains stands in docs/performance.md.
//
// The unknown zero of lanes.ts, the size of memory >>> 17. Where its bits are counted, for tests that never hold, the constant 0 takes its place:
// V8 from 13 on counts them while it compiles, and leaves out the tests; V8 12, which needs them, does not, and of a constant in the source asc
// would. Elsewhere a function that needs it in a loop asks once, where it begins: Firefox calls a function for the size, and what lives across a
// call lives in memory there, in the loop too (functions of float64 and products with it up to three times as fast).
//
// Short zeros. A vector of zeros takes 4 bytes as the integer 0 in all lanes, of which asc makes a constant of 18. Engines make the same of both.
import { I32X4_SPLAT, instructionsOf, isLoad, OP, unsigned, V128_CONST } from "./instructions.mjs";

const HEADER_BYTES = 8;
const [TYPE_SECTION, FUNCTION_SECTION, CODE_SECTION] = [1, 3, 10];
/** Of the instructions after SIMD, the product of f32x4 and of f64x2, and its sum. */
const PRODUCTS = { 230: 228, 242: 240 };
const I32 = 0x7f;
const UNKNOWN_ZERO_LENGTH = 3; // memory.size, i32.const 17, i32.shr_u
const ZERO_VECTOR = Uint8Array.of(OP.I32_CONST, 0, OP.SIMD, I32X4_SPLAT);

/** `value` as unsigned LEB128. */
function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

/**
 * The statement c ← c + product that begins with the i-th instruction, where its operands are locals, sums of addresses and loads:
 * { c, sum, next, uses }, the number of c, of its addition and of the instruction after it, and the locals that it reads and writes besides.
 * It takes nothing from the stack that it did not put there, and leaves nothing.
 */
function statementAt(code, i) {
  if (code[i].op !== OP.LOCAL_GET) return undefined;
  const c = code[i].operand;
  const uses = new Set();
  let height = 0; // of the stack, above c
  for (let j = i + 1; j + 2 < code.length; j++) {
    const { op, sub, operand } = code[j];
    if (op === OP.LOCAL_GET || op === OP.LOCAL_TEE) uses.add(operand);
    if (op === OP.SIMD && sub in PRODUCTS) {
      const [sum, set] = [code[j + 1], code[j + 2]];
      const ends = sum.op === OP.SIMD && sum.sub === PRODUCTS[sub] && set.op === OP.LOCAL_SET && set.operand === c;
      return ends && height === 2 ? { c, sum: j + 1, next: j + 3, uses } : undefined;
    }
    const load = op === OP.SIMD && isLoad(sub);
    if (op === OP.LOCAL_GET || op === OP.I32_CONST) height++;
    else if (op === OP.I32_ADD && height >= 2) height--;
    else if (!((op === OP.LOCAL_TEE || load) && height >= 1)) return undefined;
  }
  return undefined;
}

/** The instructions with both products of a pair of statements before both sums; `counts.pairs` grows by the pairs. */
function productsFirst(code, counts) {
  const result = [];
  for (let i = 0; i < code.length; ) {
    const one = statementAt(code, i);
    const two = one && one.next < code.length ? statementAt(code, one.next) : undefined;
    if (!two || one.c === two.c || two.uses.has(one.c)) {
      result.push(code[i++]);
      continue;
    }
    // c0, product, c1, product on the stack; then c1's sum, and c0's.
    result.push(...code.slice(i, one.sum), ...code.slice(one.next, two.next), ...code.slice(one.sum, one.next));
    counts.pairs++;
    i = two.next;
  }
  return result;
}

/** Whether the unknown zero is made from the i-th instruction on. */
function isUnknownZero(code, i) {
  const [size, bits, shift] = [code[i], code[i + 1], code[i + 2]];
  return size.op === OP.MEMORY_SIZE && bits?.op === OP.I32_CONST && bits.operand === 17 && shift?.op === OP.I32_SHR_U;
}

/** Whether the bits of an unknown zero from the i-th instruction on are counted. */
function isCounted(code, i) {
  return code[i + UNKNOWN_ZERO_LENGTH]?.op === OP.I32_POPCNT;
}

/** Whether an unknown zero is needed in a loop. */
function asksInLoop(code) {
  const blocks = [];
  for (const [i, { op }] of code.entries()) {
    if (op === OP.BLOCK || op === OP.LOOP || op === OP.IF) blocks.push(op);
    else if (op === OP.END) blocks.pop();
    else if (blocks.includes(OP.LOOP) && isUnknownZero(code, i) && !isCounted(code, i)) return true;
  }
  return false;
}

/**
 * The bytes of a function with `parameters` parameters, whose body is bytes[body … end), without its length; `counts` grows by
 * what was changed.
 */
function finished(bytes, body, end, parameters, counts) {
  let [groups, code] = unsigned(bytes, body);
  const first = code;
  let locals = parameters;
  for (let g = groups; g > 0; g--) {
    const [count, type] = unsigned(bytes, code);
    locals += count;
    code = type + 1;
  }
  const source = instructionsOf(bytes, code, end);
  const once = asksInLoop(source);
  const zero = leb(locals); // the local that keeps it
  const parts = [[...leb(groups + (once ? 1 : 0))], bytes.subarray(first, code)];
  if (once) {
    counts.sizes++;
    parts.push([1, I32, OP.MEMORY_SIZE, 0, OP.I32_CONST, 17, OP.I32_SHR_U, OP.LOCAL_SET, ...zero]);
  }
  const ordered = productsFirst(source, counts);
  for (let i = 0; i < ordered.length; i++) {
    const { op, sub, from, to } = ordered[i];
    if (isUnknownZero(ordered, i) && (once || isCounted(ordered, i))) {
      if (isCounted(ordered, i)) counts.zeros++;
      parts.push(isCounted(ordered, i) ? [OP.I32_CONST, 0] : [OP.LOCAL_GET, ...zero]);
      i += UNKNOWN_ZERO_LENGTH - 1;
    } else if (op === OP.SIMD && sub === V128_CONST && bytes.subarray(to - 16, to).every((byte) => byte === 0)) {
      parts.push(ZERO_VECTOR);
      counts.vectors++;
    } else parts.push(bytes.subarray(from, to));
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

/** Type number → how many parameters, of a type section of functions at `at`. */
function parametersOf(bytes, at) {
  let [count, next] = unsigned(bytes, at);
  const result = [];
  for (; count > 0; count--) {
    const [parameters, types] = unsigned(bytes, next + 1);
    const [results, after] = unsigned(bytes, types + parameters);
    result.push(parameters);
    next = after + results;
  }
  return result;
}

/** Numbers at `at`, behind how many there are. */
function numbersAt(bytes, at) {
  let [count, next] = unsigned(bytes, at);
  const result = [];
  for (; count > 0; count--) {
    const [value, after] = unsigned(bytes, next);
    result.push(value);
    next = after;
  }
  return result;
}

/**
 * A copy of the binary with all of the above: { bytes, pairs, zeros, sizes, vectors }, how many pairs of products now stand together, how often the
 * bits of an unknown zero are now those of 0, how many functions now ask for the size of memory once, and how many vectors of zeros now are short.
 *
 * @throws Error for an instruction that the core specification, version 2.0 with relaxed SIMD, does not have
 */
export function finish(bytes) {
  const counts = { pairs: 0, zeros: 0, sizes: 0, vectors: 0 };
  const parts = [bytes.subarray(0, HEADER_BYTES)];
  let parameters = [];
  let types = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const section = at;
    const id = bytes[at];
    const [size, start] = unsigned(bytes, at + 1);
    at = start + size;
    if (id === TYPE_SECTION) parameters = parametersOf(bytes, start);
    if (id === FUNCTION_SECTION) types = numbersAt(bytes, start);
    if (id !== CODE_SECTION) {
      parts.push(bytes.subarray(section, at));
      continue;
    }
    let [, from] = unsigned(bytes, start);
    const bodies = types.map((type) => {
      const [length, body] = unsigned(bytes, from);
      from = body + length;
      const result = finished(bytes, body, from, parameters[type], counts);
      return Buffer.concat([Buffer.from(leb(result.length)), result]);
    });
    const code = Buffer.concat([Buffer.from(leb(types.length)), ...bodies]);
    parts.push(Uint8Array.from([CODE_SECTION, ...leb(code.length)]), code);
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), ...counts };
}
