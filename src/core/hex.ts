/** Bytes of a string of hexadecimal digits in lower case, two for each. */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const digit = (i: number) => {
    const code = text.charCodeAt(i);
    return code - (code > 57 ? 87 : 48);
  };
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digit(2 * i) + digit(2 * i + 1);
  return bytes;
}
