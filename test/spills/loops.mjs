// Reads V8's disassembly of WebAssembly functions (x64) and finds the innermost loops of each.

/** "0x1f6d3e492d40     0  55                   push rbp": address, offset, bytes, text. */
const INSTRUCTION = /^0x[0-9a-f]+ +([0-9a-f]+) {2}([0-9a-f]+) +(\S.*)$/;
/** "jna 0x1f6d3e4930a2  <+0x362>": the offset inside the function. */
const JUMP = /^(j[a-z]+) .*<\+0x([0-9a-f]+)>$/;

/** Function number → its instructions { offset, end, text }, of everything that was printed. */
export function functionsOf(printed) {
  const functions = new Map();
  for (const part of printed.split("--- WebAssembly code ---").slice(1)) {
    const index = Number(/^index: (\d+)$/m.exec(part)?.[1]);
    const code = part.slice(part.indexOf("\nInstructions (size"));
    const instructions = [];
    for (const line of code.split("\n").slice(2)) {
      const match = INSTRUCTION.exec(line);
      if (!match) break; // the tables after the code
      const offset = Number.parseInt(match[1], 16);
      instructions.push({ offset, end: offset + match[2].length / 2, text: match[3].trim() });
    }
    if (!Number.isInteger(index) || instructions.length === 0) throw new Error(`cannot read V8's code:\n${part}`);
    functions.set(index, instructions);
  }
  return functions;
}

/** { kind: "j…", target: offset } of a jump inside the function. */
function jumpOf(text) {
  const match = JUMP.exec(text);
  return match ? { kind: match[1], target: Number.parseInt(match[2], 16) } : undefined;
}

const isEnd = (text) => /^(jmp|ret|ud2|int3)/.test(text);

/** Basic blocks in the order of their addresses: { instructions, successors }, successors as numbers of blocks. */
function blocksOf(instructions) {
  const starts = new Set([0]);
  const numberAt = new Map(instructions.map(({ offset }, i) => [offset, i]));
  instructions.forEach(({ text }, i) => {
    const jump = jumpOf(text);
    if (jump && numberAt.has(jump.target)) starts.add(numberAt.get(jump.target));
    if (jump || isEnd(text)) starts.add(i + 1);
  });
  const firsts = [...starts].filter((i) => i < instructions.length).sort((a, b) => a - b);
  const blockAt = new Map(firsts.map((first, block) => [first, block]));
  return firsts.map((first, block) => {
    const own = instructions.slice(first, firsts[block + 1]);
    const { text } = own.at(-1);
    const successors = [];
    const target = numberAt.get(jumpOf(text)?.target);
    if (target !== undefined) successors.push(blockAt.get(target));
    if (!isEnd(text) && block + 1 < firsts.length) successors.push(block + 1);
    return { instructions: own, successors };
  });
}

/** Blocks that can be reached from the first, in reverse postorder. */
function reached(blocks) {
  const seen = new Set([0]);
  const order = [];
  const stack = [{ block: 0, next: 0 }];
  while (stack.length > 0) {
    const top = stack.at(-1);
    const successor = blocks[top.block].successors[top.next++];
    if (successor === undefined) order.push(stack.pop().block);
    else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ block: successor, next: 0 });
    }
  }
  return order.reverse();
}

/** For each reachable block the set of blocks that every way to it passes, itself among them. */
function dominatorsOf(order, predecessors) {
  const dominators = new Map(order.map((block) => [block, new Set(block === 0 ? [0] : order)]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order.slice(1)) {
      const [first, ...others] = predecessors.get(block).map((each) => dominators.get(each));
      const common = new Set([...first].filter((each) => others.every((other) => other.has(each))));
      common.add(block);
      if (common.size === dominators.get(block).size) continue;
      dominators.set(block, common);
      changed = true;
    }
  }
  return dominators;
}

/**
 * The innermost loops of a function, each as its instructions. A loop is what a jump back to a block closes that every way
 * into the loop passes; several jumps to one block make one loop, early exits do not matter. Blocks that call are left
 * out: V8 keeps the registers around the stack check's call in a block of its own, which hardly ever runs.
 */
export function innermostLoops(instructions) {
  const blocks = blocksOf(instructions);
  const order = reached(blocks);
  const predecessors = new Map(order.map((block) => [block, []]));
  for (const block of order) for (const next of blocks[block].successors) predecessors.get(next).push(block);
  const dominators = dominatorsOf(order, predecessors);
  const loops = new Map(); // header → body
  for (const block of order) {
    for (const header of blocks[block].successors) {
      if (!dominators.get(block).has(header)) continue;
      const body = loops.get(header) ?? new Set([header]);
      const open = [block];
      while (open.length > 0) {
        const each = open.pop();
        if (body.has(each)) continue;
        body.add(each);
        open.push(...predecessors.get(each));
      }
      loops.set(header, body);
    }
  }
  const calls = ({ instructions: own }) => own.some(({ text }) => /^(REX\.W )?call\b/.test(text));
  return [...loops]
    .filter(([header, body]) => ![...loops.keys()].some((other) => other !== header && body.has(other)))
    .map(([, body]) => [...body].sort((a, b) => a - b).map((block) => blocks[block]))
    .map((body) => body.filter((block) => !calls(block)).flatMap((block) => block.instructions));
}

const isPackedMultiply = ({ text }) => /^v?(mulp|fn?m(add|sub)\d*p)[sd]\b/.test(text);
const touchesStack = ({ text }) => /\[(rbp|rsp)\b/.test(text);
const usesVector = ({ text }) => /\b[xyz]mm\d/.test(text);

const CODE_LINE = 32;
/** What becomes one operation with the jump after it. */
const isFusable = (text) => /^(REX\.W )?(cmp|test|add|sub|and|inc|dec)[lq]? /.test(text) && !/\],0x/.test(text);

/**
 * Jumps, each with the comparison that is fused with it, that cross or touch the end of 32 bytes of code: Intel's processors from
 * Skylake to Comet Lake decode those bytes anew in every turn (Intel, "Mitigations for Jump Conditional Code Erratum", 2019). V8
 * puts the beginning of a loop at a multiple of 32, and from version 13 on keeps its jumps away from such ends there.
 */
function edgesOf(loop) {
  return loop.filter(({ offset, end, text }, i) => {
    if (!text.startsWith("j")) return false;
    const before = loop[i - 1];
    const start = before?.end === offset && isFusable(before.text) && !text.startsWith("jmp") ? before.offset : offset;
    return Math.floor(start / CODE_LINE) !== Math.floor(end / CODE_LINE);
  }).length;
}

/**
 * { instructions, multiplies, spills, others, edges }: `others` are accesses of the stack by ordinary registers, `edges` jumps at
 * the end of 32 bytes of code.
 */
export function countsOf(loop) {
  const working = loop.filter(({ text }) => !/^nop/.test(text));
  const stack = working.filter(touchesStack);
  const spills = stack.filter(usesVector);
  return {
    instructions: working.length,
    multiplies: working.filter(isPackedMultiply).length,
    spills: spills.length,
    others: stack.length - spills.length,
    edges: edgesOf(loop),
    lines: spills.map(({ offset, text }) => `+0x${offset.toString(16)} ${text}`),
  };
}
