// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const dangerous = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Escapes control and direction characters in a text from outside, so that it cannot control a terminal. */
export const safeCell = (text: string): string => text.replace(dangerous, escapeCharacter);

/** Like `safeCell`, but keeps line breaks. */
export const safeText = (text: string): string => text.replace(dangerous, (c) => (c === '\n' ? c : escapeCharacter(c)));

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
