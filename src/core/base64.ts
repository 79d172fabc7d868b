/** The bytes of a base64 text. `atob` is on every runtime the package runs on; `Buffer` only on Node. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let position = 0; position < bytes.length; position++) bytes[position] = characters.charCodeAt(position);
  return bytes;
}
