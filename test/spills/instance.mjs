// Compiles the binary it is given, for a parent that reads the code V8 prints while it does.
import { readFileSync } from "node:fs";

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2])), { env: { memory } });
