// Engines read a function twice: for its end and its mistakes when its file is read, and for what it does when it is called. One in brackets
// they expect to be called soon, and read it once. So what a process calls in any case stands in brackets; which functions those are,
// a process that has done it tells.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { decode, encode } from "@jridgewell/sourcemap-codec";

/**
 * Puts what `program` calls into brackets: arrow functions and function expressions where they stand, declarations at the top as variables
 * before everything else, as they may be called before they stand. Methods have no such form.
 *
 * @param files scripts or modules with their maps beside them (`.map`), which are written anew; a line that begins with "use strict" stays the first
 * @param program the text of a module
 */
export function bracketCalled(files, program) {
  const called = calledFunctions(files, program);
  for (const file of files) {
    const code = readFileSync(file, "utf8");
    const pieces = rearranged(code, called.get(file));
    const map = JSON.parse(readFileSync(`${file}.map`, "utf8"));
    const text = pieces.map((piece) => piece.text ?? code.slice(piece.start, piece.end)).join("");
    writeFileSync(`${file}.map`, JSON.stringify({ ...map, mappings: moved(map.mappings, { code, pieces, text }) }));
    writeFileSync(file, text);
  }
}

/** A program that makes a `network` and predicts with it, by the entry in `file`. */
export function firstPrediction(file) {
  return `
    import { Network } from ${JSON.stringify(pathToFileURL(file).href)};
    const layers = [{ units: 3, activation: "relu" }, { units: 2, activation: "softmax" }];
    const network = await Network.create({ inputs: 2, layers });
    network.predict({ data: new Float32Array(2), shape: [1, 2] });
  `;
}

/** By file the functions that a process called, in the order of their beginnings: { start, end, outer }, `outer` where within no other. */
function calledFunctions(files, program) {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-eager-"));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
    // By path: of a script that is no module the URL has other letters escaped than pathToFileURL would.
    const scripts = new Map(
      reports
        .flatMap(({ result }) => result.filter(({ url }) => url.startsWith("file:")))
        .map(({ url, functions }) => [fileURLToPath(url), functions]),
    );
    return new Map(
      files.map((file) => {
        const functions = scripts.get(realpathSync(file));
        if (functions === undefined) throw new Error(`${file}: expected a program that reads it`);
        return [file, calledOf(functions)];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Functions within the one that holds all of a part count as within none. */
function calledOf(functions) {
  const [script, ...ranges] = functions
    .map(({ ranges: [{ startOffset, endOffset, count }] }) => ({ start: startOffset, end: endOffset, count }))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  let end = 0;
  return ranges
    .filter((range) => range.end - range.start < (script.end - script.start) / 2)
    .map((range) => {
      const outer = range.start >= end;
      if (outer) end = range.end;
      return { ...range, outer };
    })
    .filter(({ count }) => count > 0);
}

/** The new order of the code: pieces of it, { start, end }, { text } in place of one, and { text } that is added. */
function rearranged(code, called) {
  const first = /^(?:"use strict";.*\n)?/.exec(code)[0].length;
  const above = [];
  const rest = [];
  let pieces = rest; // where what comes next goes
  let at = first;
  const upTo = (to, next) => {
    if (to > at) pieces.push({ start: at, end: to });
    at = next;
  };
  const ends = []; // of the functions that are open, the innermost last
  const close = (to) => {
    while (ends.length > 0 && ends.at(-1).end <= to) {
      const { end, text } = ends.pop();
      upTo(end, end);
      pieces.push({ text });
      if (text !== ")") pieces = rest;
    }
  };
  for (const { start, end, outer } of called) {
    close(start);
    const text = code.slice(start, end);
    const before = code.slice(0, start).trimEnd().at(-1);
    const declaration = /^(async )?function (\w+)\(/.exec(text);
    if (declaration !== null && ";{}".includes(before)) {
      if (!outer) continue;
      const [whole, async = "", name] = declaration;
      upTo(start, start + whole.length);
      pieces = above;
      pieces.push({ text: `var ${name}=(${async}function(`, start, end: at });
      ends.push({ end, text: ");\n" });
    } else if ("(,=:?[".includes(before) && /^(async )?(function\b|\w+=>|\([^{]*?\)=>|\(\{)/.test(text)) {
      upTo(start, start);
      pieces.push({ text: "(" });
      ends.push({ end, text: ")" });
    }
  }
  close(code.length);
  upTo(code.length, code.length);
  return [{ start: 0, end: first }, ...above, ...rest];
}

/** The mappings of a code whose pieces have another order. */
function moved(mappings, { code, pieces, text }) {
  const starts = lineStarts(code);
  const segments = decode(mappings).flatMap((line, i) =>
    line.map(([column, ...rest]) => ({ at: starts[i] + column, rest })),
  );
  const lines = lineStarts(text).map((start) => ({ start, segments: [] }));
  let to = 0; // where the piece begins in the new text
  let line = 0;
  for (const { start, end, text: added } of pieces) {
    const inside = segments.filter(({ at }) => at >= start && at < end);
    for (const { at, rest } of added === undefined ? inside : inside.slice(0, 1)) {
      const now = added === undefined ? to + at - start : to;
      while (line + 1 < lines.length && lines[line + 1].start <= now) line++;
      lines[line].segments.push([now - lines[line].start, ...rest]);
    }
    to += added === undefined ? end - start : added.length;
  }
  return encode(lines.map(({ segments }) => segments));
}

function lineStarts(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
