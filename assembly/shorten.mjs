// Code as short as an entry should be that an engine reads before its first line runs, with a map to its sources.
import { decode, encode } from "@jridgewell/sourcemap-codec";
import { transform } from "esbuild";

/**
 * The script without white space and with short local names. What stands at the top keeps its name, so that stack traces and
 * errors say the same as the sources: esbuild renames that only in modules.
 *
 * @param script with its map inline
 * @returns code in lines of about 160 letters, and its map
 */
export async function shorten(script, { target, sourcefile }) {
  // A class that names itself within has become a variable; inspect() and errors show the name inside.
  const itself = /^var (\w+) = class _\1 \{$/gm;
  let text = script;
  for (const [, name] of text.matchAll(itself)) text = text.replaceAll(new RegExp(`\\b_${name}\\b`, "g"), name);
  text = text.replace(/^var (\w+) = class \1 \{$/gm, "class $1 {");
  const { code, map } = await transform(text, {
    target,
    minify: true,
    // Node prints the line of an uncaught error before its message.
    lineLimit: 160,
    sourcemap: true,
    sourcefile,
  });
  return withWholeStrings(code, JSON.parse(map));
}

/**
 * esbuild ends lines in strings too, by a backslash; tools that indent what they include would put the white space into the
 * string.
 */
function withWholeStrings(code, map) {
  const lines = code.split("\n"),
    mappings = decode(map.mappings);
  const joined = { lines: [], mappings: [] };
  for (const [i, line] of lines.entries()) {
    const segments = mappings[i] ?? [];
    const before = joined.lines.at(-1);
    if (before !== undefined && /(^|[^\\])(\\\\)*\\$/.test(before)) {
      const column = before.length - 1;
      joined.lines[joined.lines.length - 1] = before.slice(0, -1) + line;
      joined.mappings.at(-1).push(...segments.map(([at, ...rest]) => [column + at, ...rest]));
    } else {
      joined.lines.push(line);
      joined.mappings.push([...segments]);
    }
  }
  return { code: joined.lines.join("\n"), map: { ...map, mappings: encode(joined.mappings) } };
}
