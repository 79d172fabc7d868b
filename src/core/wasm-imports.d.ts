// What an import of a wasm file gives on the runtimes that have it (source.workerd.ts, source.edge-light.ts).

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
