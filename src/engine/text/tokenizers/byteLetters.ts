/**
 * Letters of bytes in byte-level vocabularies: the printable ones of Latin-1 as themselves, the
 * rest from U+0100 on in order of their value.
 */
const LETTER_OF: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(printable(byte) ? byte : next++),
  );
})();
const BYTE_OF = new Map(LETTER_OF.map((letter, byte) => [letter, byte]));
const UTF8 = new TextEncoder();

/** UTF-8 bytes of a text as letters. */
export function bytesToLetters(text: string): string {
  let letters = "";
  for (const byte of UTF8.encode(text)) letters += LETTER_OF[byte];
  return letters;
}

/** Bytes of a byte-level token; other letters stand for themselves. */
export function lettersToBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_OF.get(token[i]!);
    if (byte === undefined) return UTF8.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}
