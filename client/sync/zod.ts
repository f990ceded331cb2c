import { config } from "zod/mini";

// Without this zod probes for `new Function`, which the page's
// Content-Security-Policy forbids and the browser reports as a violation.
config({ jitless: true });

// Name by name, never as one object: only so is what nobody uses left out of the pages.
export * from "zod/mini";
