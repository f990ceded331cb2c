import type { Json } from "./types";

// JSON.stringify escapes a surrogate only where it stands alone. The first alternative
// consumes an escaped backslash, so that the text `\\ud83d` stays as it is.
const loneSurrogate = /\\(?:\\|ud[89a-f][0-9a-f]{2})/g;

/**
 * Writes `value` as JSON that is well-formed Unicode, in texts and in names. Half an emoji
 * becomes U+FFFD: no server reads it (SPEC V4). Everything that leaves a page goes through here.
 */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value).replace(loneSurrogate, (found) => (found === "\\\\" ? found : "\ufffd"));
}

/** The value a server reads when it is sent `value`. */
export function wellFormed<T extends Json>(value: T): T {
  return JSON.parse(encodeJson(value));
}

/** `text` as a part of a URL. `encodeURIComponent` alone throws on half an emoji. */
export function urlPart(text: string): string {
  return encodeURIComponent(wellFormed(text));
}
