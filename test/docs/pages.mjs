// Reads a page of docs/runtimes/: its files, its commands and what they print. Pure.

/**
 * The fenced blocks of a page, by what stands after the fence: `LANGUAGE NAME` is a file, `sh` holds commands, a line
 * each, `text` what comes out, `text LABEL` what comes out in another place.
 *
 * @throws Error for a block of another kind, so that nothing on a page goes untested
 */
export function readPage(text) {
  const page = { files: {}, steps: [], outputs: {} };
  for (const [, info, body] of text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)) {
    const [language, ...rest] = info.split(" ");
    const label = rest.join(" ");
    if (language === "sh" && label === "") page.steps.push({ commands: body.trim().split("\n"), output: undefined });
    else if (language === "text") {
      page.outputs[label] = body.trim();
      if (label === "" && page.steps.length > 0) page.steps.at(-1).output = body.trim();
    } else if (label !== "") page.files[label] = body;
    else throw new Error(`expected a file's name, sh or text after the fence, got ${JSON.stringify(info)}`);
  }
  return page;
}
