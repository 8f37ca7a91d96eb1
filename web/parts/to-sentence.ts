/**
 * A text of the server as a sentence. There it begins small, as it follows the name of a program on the command line, and has no
 * full stop. Pure.
 */
export function toSentence(text: string): string {
  // An id, a path or a command stays as it is written.
  const whole = /^(?:[\w-]+[/._]|[`/"])/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!…:]$/.test(whole) ? whole : `${whole}.`;
}
