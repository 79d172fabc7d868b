// The type of `import core from "chainrule/core.f32.wasm"`: a compiled module on runtimes and bundlers that import wasm
// so. Without the DOM library there is no `WebAssembly` type to name; there it is an object.
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: new (...args: never[]) => infer Compiled } }
  ? Compiled
  : object;

declare const core: CompiledModule;
export default core;
